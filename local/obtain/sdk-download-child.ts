import { TestWorkflowEnvironment } from '@temporalio/testing';

const [kind, downloadDir = '', version = ''] = process.argv.slice(2);
const server = { executable: { type: 'cached-download', downloadDir, version } } as const;

// The SDK starts the downloaded server and calls it over gRPC. By default, gRPC dials loopback through `http_proxy`.
process.env.no_grpc_proxy = '127.0.0.1';

try {
  const environment = await (kind === 'dev-server'
    ? TestWorkflowEnvironment.createLocal({ server })
    : TestWorkflowEnvironment.createTimeSkipping({ server }));
  await environment.teardown();
} catch (error) {
  process.stderr.write(String(error instanceof Error ? error.message : error));
  process.exitCode = 1;
}
