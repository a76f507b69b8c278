import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import type { TestProject } from 'vitest/node';
import { obtainTemporalCli } from '../../local/obtain/temporal-cli.ts';
import { obtainTimeSkippingServer } from '../../local/obtain/time-skipping-server.ts';
import { dynamicConfigFlags } from '../../local/temporal/embedded-temporal.ts';
import { bundleWorkflows } from '../../src/bundle-workflows.ts';
import { loadConfig, loadEnvironment } from '../../src/config/config.ts';
import { obtainBrowser } from './browser.ts';

declare module 'vitest' {
  interface ProvidedContext {
    temporalCli: string;
    timeSkippingServer: string;
    workflowBundle: string;
    devServer: string;
    /** The path of a browser, or why there is none. Without one only the page tests fail. */
    browser: { path?: string; fault?: string };
  }
}

/**
 * Runs once per Vitest project: obtains Temporal and a browser, bundles the workflows, and starts the dev server that
 * all test files share.
 */
export default async function setup(project: TestProject) {
  const { temporalCliPath, temporalTestServerPath } = loadConfig(loadEnvironment());
  const say = (line: string) => console.log(line);
  const temporalCli = await obtainTemporalCli({ explicitPath: temporalCliPath, say });
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
  const devServer = address
    ? { address, teardown: async () => {} }
    : await TestWorkflowEnvironment.createLocal({
        server: {
          executable: { type: 'existing-path', path: temporalCli },
          log: { format: 'pretty', level: 'error' },
          extraArgs: dynamicConfigFlags,
        },
      });

  project.provide('temporalCli', temporalCli);
  project.provide('timeSkippingServer', timeSkippingServer.path);
  project.provide('workflowBundle', workflowBundle);
  project.provide('browser', browser);
  project.provide('devServer', devServer.address);
  return async () => {
    await devServer.teardown();
    rmSync(directory, { recursive: true, force: true });
  };
}
