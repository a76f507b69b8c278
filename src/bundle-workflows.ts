import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const toPath = (file: string) => fileURLToPath(new URL(`./workflows/${file}`, import.meta.url));

/** Bundles the workflows and their interceptors into one JavaScript file. Every worker runs this bundle. */
export const bundleWorkflows = () =>
  bundleWorkflowCode({
    workflowsPath: toPath('index.ts'),
    workflowInterceptorModules: [toPath('interceptors.ts')],
    logger: new DefaultLogger('WARN'),
  });

const thisFile = fileURLToPath(import.meta.url);

/**
 * Bundles the workflows in a child process, which runs this file. Otherwise the worker would keep the memory of the
 * bundler, about 150 MiB.
 */
export async function bundleInChild(): Promise<{ code: string }> {
  const bundling = promisify(execFile)(process.execPath, [...process.execArgv, thisFile], { maxBuffer: 2 ** 26 });
  const end = () => void bundling.child.kill();
  process.once('exit', end);
  const { stdout } = await bundling;
  process.off('exit', end);
  return { code: stdout };
}

if (process.argv[1] === thisFile) process.stdout.write((await bundleWorkflows()).code);
