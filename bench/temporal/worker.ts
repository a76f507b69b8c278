import { fileURLToPath } from 'node:url';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { loadConfigOrExit } from '../../src/config/config.ts';
import { onStop } from '../../src/stop.ts';

// A minimal Temporal worker: one workflow, one activity that fetches a URL, and the concurrency of Holdfast.

async function fetchJoke({ url }: { url: string }) {
  const response = await fetch(url);
  const joke = await response.json();
  // Without this, an answer that says that the upstream is down would be a result.
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return joke;
}

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
  activities: { fetchJoke },
  maxConcurrentActivityTaskExecutions: workerConcurrency,
});
onStop(() => worker.shutdown());
await worker.run();
process.exit();
