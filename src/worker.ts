import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { loadConfigOrExit } from './config.ts';
import { createLog } from './log.ts';
import { createWorkerMetrics } from './metrics.ts';
import { findFreePort, serveMonitor } from './monitor.ts';
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
  return message === 'Activity failed' || (level === 'INFO' && meta?.sdkComponent !== 'activity');
}

const stopping = new AbortController();
let worker: Worker | undefined;
onStop((reason) => {
  log.info(`Worker stops (${reason}): running attempts have ${config.shutdownGraceMs / 1_000} s to end`);
  stopping.abort();
  if (worker?.getState() === 'RUNNING') worker.shutdown();
});

/** Connects, however long Temporal is away: a worker started before its server waits for it. */
async function connect(): Promise<NativeConnection> {
  const { namespace: _, ...options } = config.temporal;
  for (let failures = 0; ; failures += 1) {
    try {
      return await NativeConnection.connect(options);
    } catch (error) {
      if (failures % 10 === 0)
        log.warn(`Temporal at ${options.address} does not answer yet: ${(error as Error).message}`);
      await delay(1_000, undefined, { signal: stopping.signal });
    }
  }
}

const bundle = fileURLToPath(new URL('./workflow-bundle.js', import.meta.url));
const workflows = existsSync(bundle)
  ? { workflowBundle: { codePath: bundle } }
  : { workflowsPath: fileURLToPath(new URL('./workflows/index.ts', import.meta.url)) };

const monitor = await serveMonitor(config.workerMetrics, {
  isRunning: () => worker?.getState() === 'RUNNING',
  registry: metrics.registry,
  corePort,
});

try {
  const connection = await connect();
  const options = toWorkerOptions(config, ({ task, outcome, failureType, seconds }) => {
    metrics.attempts.inc({ task, outcome, failure_type: failureType });
    metrics.attemptDuration.observe({ task, outcome }, seconds);
  });
  worker = await Worker.create({ connection, ...workflows, ...options });
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
