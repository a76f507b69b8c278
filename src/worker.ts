import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { loadConfigOrExit } from './config/config.ts';
import { findFreePort } from './free-port.ts';
import { createLog } from './log.ts';
import { createWorkerMetrics } from './metrics.ts';
import { serveMonitor } from './monitor.ts';
import { onStop } from './stop.ts';
import { toWorkerOptions } from './worker-options.ts';

const config = loadConfigOrExit();
const log = createLog(config, 'worker');
const metrics = createWorkerMetrics();
const corePort = await findFreePort();

Runtime.install({
  shutdownSignals: [],
  logger: new DefaultLogger('TRACE', ({ level, message, meta }) => {
    const method = isChatter(level, message, meta) ? 'debug' : (level.toLowerCase() as 'info');
    const { workflowId, activityType, attempt, error } = meta ?? {};
    log[method]({ workflowId, activityType, attempt, err: error }, message);
  }),
  telemetryOptions: { metrics: { prometheus: { bindAddress: `127.0.0.1:${corePort}` } } },
});

/** The SDK's own progress, and its line and stack for a failed attempt, which already has its line from `observeAttempts`. */
function isChatter(level: string, message: string, meta: { sdkComponent?: string } | undefined): boolean {
  return (
    ['Activity failed', 'Workflow failed'].includes(message) || (level === 'INFO' && meta?.sdkComponent !== 'activity')
  );
}

const stopping = new AbortController();
let worker: Worker | undefined;
onStop((reason) => {
  log.info(`Worker stops (${reason}): running attempts have ${config.shutdownGraceMs / 1_000} s to end`);
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

/** A worker connected to Temporal, however long that is away: one started before its server waits for it. */
async function create(): Promise<{ connection: NativeConnection; worker: Worker }> {
  const { namespace: _, ...where } = config.temporal;
  for (let failures = 0; ; failures += 1) {
    let connection: NativeConnection | undefined;
    try {
      connection = await NativeConnection.connect(where);
      return { connection, worker: await Worker.create({ connection, workflowBundle, ...options }) };
    } catch (error) {
      if (failures % 10 === 0)
        log.warn(`Temporal at ${where.address} is not there yet: start it, or set TEMPORAL_ADDRESS; trying on`);
      log.debug({ err: error }, 'No connection to Temporal');
      await connection?.close();
      await delay(1_000, undefined, { signal: stopping.signal });
    }
  }
}

const monitor = await serveMonitor(config.workerMetrics, {
  isRunning: () => worker?.getState() === 'RUNNING',
  registry: metrics.registry,
  corePort,
}).catch(({ code }: NodeJS.ErrnoException) => {
  const { host, port } = config.workerMetrics;
  console.error(`The worker cannot serve its metrics at ${host}:${port} (${code}): set WORKER_METRICS_ADDRESS.`);
  process.exit(1);
});

try {
  const created = await create();
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
