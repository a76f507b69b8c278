import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { NativeConnection, Runtime } from '@temporalio/worker';
import type { AttemptRecord } from './activities/observe.ts';
import { loadWorkflowBundle } from './bundle-workflows.ts';
import { loadConfigOrExit } from './config/config.ts';
import { createWorkers, type Workers } from './create-workers.ts';
import { toHttpUrl } from './http-url.ts';
import { onStop } from './stop.ts';
import { createLog } from './telemetry/log.ts';
import { createWorkerMetrics } from './telemetry/metrics.ts';
import { serveMonitor } from './telemetry/monitor.ts';
import { installRuntime } from './telemetry/runtime.ts';
import { createTaskFailureLog } from './telemetry/workflow-tasks.ts';
import { createClient } from './temporal/connection.ts';
import { findFault } from './temporal/fault.ts';

const config = loadConfigOrExit();
const metrics = createWorkerMetrics(() => workers?.readFreePlaces() ?? config.workerConcurrency);
const log = createLog(config, 'worker', () => metrics.droppedLogLines.inc());
for (const warning of config.warnings) log.warn(warning);
const sdkMetrics = installRuntime(log, createTaskFailureLog(createClient(config), log));

/** After the grace period, attempts that were cut off have this long to report to Temporal. */
const reportMs = 1_500;

let isStopping = false;
let workers: Workers | undefined;
onStop((reason) => {
  log.info(`Worker stops (${reason}): running attempts have ${config.shutdownGraceMs / 1_000} s to finish`);
  isStopping = true;
  if (!workers) return exit();
  workers.shutdown();
  // The SDK tells Temporal that the worker stops. If Temporal is silent, the SDK waits 30 s for its answer.
  setTimeout(exit, config.shutdownGraceMs + reportMs);
});

function exit(): void {
  Runtime.instance().flushLogs();
  log.info('Worker stopped');
  log.flush(() => process.exit());
}

const bundle = fileURLToPath(new URL('./workflow-bundle.js', import.meta.url));
const workflowBundle = existsSync(bundle) ? { codePath: bundle } : await loadWorkflowBundle();

function record({ task, outcome, failureType, seconds }: AttemptRecord): void {
  metrics.attempts.inc({ task, outcome, failure_type: failureType });
  metrics.attemptDuration.observe({ task, outcome }, seconds);
}

/** Creates workers that are connected to Temporal. Tries every second until Temporal answers. */
async function connect(): Promise<{ connection: NativeConnection; workers: Workers }> {
  const { namespace: _, ...server } = config.temporal;
  for (let failures = 0; ; failures += 1) {
    let fault = await findOwnFault();
    if (!fault) {
      let connection: NativeConnection | undefined;
      try {
        connection = await NativeConnection.connect(server);
        return { connection, workers: await createWorkers(config, { connection, workflowBundle, record }) };
      } catch (error) {
        // A worker that was created before the failure keeps the connection open.
        await connection?.close().catch(() => {});
        fault = `No connection to Temporal at ${server.address}: ${(error as Error).message.split('\n')[0]}.`;
        log.debug({ err: error }, 'No connection to Temporal');
      }
    }
    if (failures % 10 === 0) log.warn(`${fault} Trying again every second.`);
    await delay(1_000);
  }
}

/**
 * Returns in one line why this worker cannot use Temporal, or `undefined` if it can. Uses the API's client, because the
 * worker's own connection waits longer for a silent server and says less.
 */
async function findOwnFault(): Promise<string | undefined> {
  const client = createClient(config);
  const fault = await findFault(client, config.temporal);
  await client.connection.close();
  return fault;
}

const monitor = await serveMonitor(config, {
  isRunning: () => workers?.isRunning() ?? false,
  registry: metrics.registry,
  sdkMetrics,
}).catch(({ code }: NodeJS.ErrnoException) => {
  const { host, port } = config.workerMetrics;
  const url = toHttpUrl(host, port);
  console.error(`The worker cannot serve its metrics at ${url} (${code}). Set WORKER_METRICS_ADDRESS.`);
  process.exit(1);
});

try {
  const created = await connect();
  workers = created.workers;
  log.info(`Worker ready on task queue ${config.taskQueue}, metrics at ${monitor.url}/metrics`);
  await workers.run();
  await created.connection.close();
} catch (error) {
  if (!isStopping) {
    log.fatal({ err: error }, 'Worker failed');
    process.exitCode = 1;
  }
}
exit();
