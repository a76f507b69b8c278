import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { obtainTemporal, type TemporalProgram } from '../../local/obtain/temporal.ts';
import { obtainTimeSkippingServer } from '../../local/obtain/time-skipping-server.ts';
import { startGuarded } from '../../local/processes/guarded.ts';
import { findFreePort } from '../../local/processes/ports.ts';
import { temporalServer } from '../../local/temporal/embedded-temporal.ts';
import { prepareTemporal } from '../../local/temporal/prepare-temporal.ts';
import { bundleWorkflows } from '../../src/bundle-workflows.ts';
import { loadConfig, loadEnvironment } from '../../src/config/config.ts';
import { obtainBrowser } from './browser.ts';

declare module 'vitest' {
  interface ProvidedContext {
    temporal: TemporalProgram;
    timeSkippingServer: string;
    workflowBundle: string;
    devServer: string;
    /** The path of a browser, or why there is none. Without one only the page tests fail. */
    browser: { path?: string; fault?: string };
  }
}

/** Starts the dev server, which keeps nothing on disk. It ends when this process does. */
async function startDevServer(program: TemporalProgram, directory: string) {
  const port = await findFreePort();
  const where = { directory, port, namespace: 'default', inMemory: true };
  const { command, args, cwd, env } = await temporalServer(program, where);
  const server = await startGuarded({ command, args, cwd, env, logFile: join(directory, 'temporal.log') });
  const address = `127.0.0.1:${port}`;
  await prepareTemporal({ address, namespace: where.namespace }, 1, new AbortController().signal);
  return { address, stop: server.stop };
}

/**
 * Runs once per Vitest project: obtains Temporal and a browser, bundles the workflows, and starts the dev server that
 * all test files share.
 */
export default async function setup(project: TestProject) {
  const { temporalCliPath, temporalTestServerPath } = loadConfig(loadEnvironment());
  const say = (line: string) => console.log(line);
  const program = await obtainTemporal({ explicitPath: temporalCliPath, say });
  const timeSkippingServer = await obtainTimeSkippingServer({ explicitPath: temporalTestServerPath, say });
  const browser = await obtainBrowser(say).then(
    (path) => ({ path }),
    (error: Error) => ({ fault: error.message }),
  );

  const directory = mkdtempSync(join(tmpdir(), 'holdfast-test-'));
  const workflowBundle = join(directory, 'workflow-bundle.js');
  const { code } = await bundleWorkflows();
  writeFileSync(workflowBundle, code);

  // Tests can run against another server, such as that of `npm run temporal:postgres`. We do not stop that one.
  const address = process.env.TEMPORAL_TEST_ADDRESS;
  const devServer = address ? { address, stop: async () => {} } : await startDevServer(program, directory);

  project.provide('temporal', program);
  project.provide('timeSkippingServer', timeSkippingServer.path);
  project.provide('workflowBundle', workflowBundle);
  project.provide('browser', browser);
  project.provide('devServer', devServer.address);
  return async () => {
    await devServer.stop();
    rmSync(directory, { recursive: true, force: true });
  };
}
