import { fileURLToPath } from 'node:url';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { loadConfigOrExit } from '../../src/config/config.ts';
import { onStop } from '../../src/stop.ts';

/** A minimal Temporal worker: one workflow, one activity that fetches a URL, and the concurrency of Holdfast. */
const { temporal, workerConcurrency } = loadConfigOrExit();
Runtime.install({
  logger: new DefaultLogger('ERROR'),
  telemetryOptions: { logging: { forward: {} } },
  shutdownSignals: [],
});
const worker = await Worker.create({
  connection: await NativeConnection.connect({ address: temporal.address }),
  namespace: temporal.namespace,
  taskQueue: 'bench-plain',
  workflowsPath: fileURLToPath(new URL('./workflow.ts', import.meta.url)),
  activities: { fetchJoke: async ({ url }: { url: string }) => (await fetch(url)).json() },
  maxConcurrentActivityTaskExecutions: workerConcurrency,
});
onStop(() => worker.shutdown());
await worker.run();
process.exit();
