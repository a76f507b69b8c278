import { TestWorkflowEnvironment } from '@temporalio/testing';

const [kind, downloadDir = '', version = ''] = process.argv.slice(2);
const server = { executable: { type: 'cached-download', downloadDir, version } } as const;

try {
  const environment = await (kind === 'dev-server'
    ? TestWorkflowEnvironment.createLocal({ server })
    : TestWorkflowEnvironment.createTimeSkipping({ server }));
  await environment.teardown();
} catch (error) {
  process.stderr.write(String(error instanceof Error ? error.message : error));
  process.exitCode = 1;
}
