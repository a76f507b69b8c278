import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, type Logger } from '@temporalio/worker';

const toPath = (file: string) => fileURLToPath(new URL(`./workflows/${file}`, import.meta.url));

/** Bundles the workflows and their interceptors into one JavaScript file. Every worker runs this bundle. */
export const bundleWorkflows = (logger: Logger = new DefaultLogger('WARN')) =>
  bundleWorkflowCode({
    workflowsPath: toPath('index.ts'),
    workflowInterceptorModules: [toPath('interceptors.ts')],
    logger,
  });
