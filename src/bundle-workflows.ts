import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, type Logger } from '@temporalio/worker';

const toPath = (file: string) => fileURLToPath(new URL(`./workflows/${file}`, import.meta.url));

/** Returns the code of the workflows as every worker runs it, as one JavaScript file. */
export const bundleWorkflows = (logger: Logger = new DefaultLogger('WARN')) =>
  bundleWorkflowCode({
    workflowsPath: toPath('index.ts'),
    workflowInterceptorModules: [toPath('interceptors.ts')],
    logger,
  });
