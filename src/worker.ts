import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker } from '@temporalio/worker';
import { loadConfigOrExit } from './config/config.ts';
import { onStop } from './stop.ts';
import { createLog } from './telemetry/log.ts';
import { createWorkerMetrics } from './telemetry/metrics.ts';
import { serveMonitor } from './telemetry/monitor.ts';
import { installRuntime } from './telemetry/runtime.ts';
import { toWorkerOptions } from './worker-options.ts';

const config = loadConfigOrExit();
const log = createLog(config, 'worker');
const metrics = createWorkerMetrics();
const sdkMetricsPort = installRuntime(log);

const stopping = new AbortController();
let worker: Worker | undefined;
onStop((reason) => {
  log.info(`Worker stops (${reason}): running attempts have ${config.shutdownGraceMs / 1_000} s to finish`);
  stopping.abort();
  if (worker?.getState() === 'RUNNING') worker.shutdown();
});

const bundle = fileURLToPath(new URL('./workflow-bundle.js', import.meta.url));
const workflowBundle = existsSync(bundle)
  ? { codePath: bundle }
  : await bundleWorkflowCode({
      workflowsPath: fileURLToPath(new URL('./workflows/index.ts', import.meta.url)),
      logger: new DefaultLogger('WARN'),
    });

const options = toWorkerOptions(config, ({ task, outcome, failureType, seconds }) => {
  metrics.attempts.inc({ task, outcome, failure_type: failureType });
  metrics.attemptDuration.observe({ task, outcome }, seconds);
});

/** Creates a connected worker: tries every second until Temporal answers, and rejects if the process stops first. */
async function connect(): Promise<{ connection: NativeConnection; worker: Worker }> {
  const { namespace: _, ...server } = config.temporal;
  for (let failures = 0; ; failures += 1) {
    let connection: NativeConnection | undefined;
    try {
      connection = await NativeConnection.connect(server);
      return { connection, worker: await Worker.create({ connection, workflowBundle, ...options }) };
    } catch (error) {
      if (failures % 10 === 0)
        log.warn(
          `No answer from Temporal at ${server.address} yet. Start it, or set TEMPORAL_ADDRESS. Retrying every second.`,
        );
      log.debug({ err: error }, 'No connection to Temporal');
      await connection?.close();
      await delay(1_000, undefined, { signal: stopping.signal });
    }
  }
}

const monitor = await serveMonitor(config.workerMetrics, {
  isRunning: () => worker?.getState() === 'RUNNING',
  registry: metrics.registry,
  sdkMetricsPort,
}).catch(({ code }: NodeJS.ErrnoException) => {
  const { host, port } = config.workerMetrics;
  console.error(`The worker cannot serve its metrics at ${host}:${port} (${code}). Set WORKER_METRICS_ADDRESS.`);
  process.exit(1);
});

try {
  const created = await connect();
  const { connection } = created;
  worker = created.worker;
  if (!stopping.signal.aborted) {
    log.info(`Worker ready on task queue ${config.taskQueue}, metrics at ${monitor.url}/metrics`);
    await worker.run();
  }
  await connection.close();
  log.info('Worker stopped');
} catch (error) {
  if (!stopping.signal.aborted) {
    log.fatal({ err: error }, 'Worker failed');
    process.exitCode = 1;
  }
}
monitor.close();
process.exit();
