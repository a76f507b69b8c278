import { status as grpcStatus } from '@grpc/grpc-js';
import { Connection, isGrpcServiceError } from '@temporalio/client';
import { SetupError } from '../../cli/setup-error.ts';
import { until } from '../../cli/until.ts';
import type { Config } from '../../src/config/config.ts';
import { databaseFile } from '../../src/embedded/database.ts';
import { directChannel } from '../../src/temporal/connection.ts';
import { toBasicEnvironment } from '../processes/child-environment.ts';
import type { ChildSpec } from '../processes/spawn-child.ts';
import type { WebUi } from './web-ui.ts';

const upWithinMs = 60_000;
const flag = (name: string, values: string[]) => values.flatMap((value) => [name, value]);

/**
 * Settings for a single small server, as flags of `temporal server start-dev`:
 * - One partition per task queue, because more partitions cost throughput.
 * - The new matcher, because it knows task priorities. A large batch then does not starve single tasks.
 * - Fairness, because the tasks of one owner would otherwise wait behind all queued tasks of another.
 * - Queue progress saved every second instead of every 30 s. After a crash the server repeats the work whose progress
 *   was not saved. A task that waits for its next attempt would then be dispatched too early.
 * - Up to 2000 polls of the transfer queue per second instead of 20. With 20, each dispatch waited about 45 ms.
 * - When a workflow task is lost several times in a row, its timeout grows by 10 s at most. By default it grows by up
 *   to 10 min, and a workflow whose workers were killed five times in a row stood still for minutes.
 * - Idle polls end after 15 s instead of 60 s. A frozen worker looks alive until its open polls have ended.
 * - No host is allowed to use the HTTP API, because it checks no origin. Nothing uses it, and it cannot be turned off.
 */
export const dynamicConfigFlags = flag('--dynamic-config-value', [
  'matching.numTaskqueueReadPartitions=1',
  'matching.numTaskqueueWritePartitions=1',
  'matching.useNewMatcher=true',
  'matching.enableFairness=true',
  'history.transferProcessorUpdateAckInterval="1s"',
  'history.transferProcessorMaxPollRPS=2000',
  'history.workflowTaskRetryMaxInterval="10s"',
  'matching.longPollExpirationInterval="15s"',
  'frontend.httpAllowedHosts=["none.invalid"]',
]);

// Go collects garbage when the heap is five times as large as after the last collection, not twice (Go's default). The
// server then uses more memory and completes 10 % more tasks per second than with the default.
const garbageCollectionPercent = '400';

/**
 * Returns how to start the embedded server. With WAL and `synchronous=NORMAL`, kill -9 of any process loses no
 * accepted task. A power cut may lose the tasks of the last moments. Without `webUi`, the server has no Web UI.
 */
export function temporalServer(
  cliPath: string,
  port: number,
  { dataDir, temporal }: Config,
  webUi?: WebUi['address'],
): ChildSpec {
  const pragmas = ['journal_mode=WAL', 'synchronous=NORMAL'];
  return {
    name: 'Temporal',
    command: cliPath,
    args: [
      ...['server', 'start-dev', '--log-level', 'error'],
      ...['--ip', '127.0.0.1', '--port', `${port}`],
      ...(webUi ? ['--ui-ip', webUi.host, '--ui-port', `${webUi.port}`] : ['--headless']),
      ...['--namespace', temporal.namespace, '--db-filename', databaseFile],
      ...flag('--sqlite-pragma', pragmas),
      ...dynamicConfigFlags,
    ],
    // The server puts the file name into a URL. DATA_DIR may have characters that break URLs, so the name is relative.
    cwd: dataDir,
    env: { GOGC: garbageCollectionPercent, ...toBasicEnvironment(process.env) },
    stopWithinMs: 10_000,
    foreign: true,
  };
}

/** For a connection to a server that is just starting. */
export const channelArgs = {
  ...directChannel,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 500,
};

/** Returns whether the server's health check says that it serves. */
export const isServing = (connection: Connection) => {
  const check = { service: 'temporal.api.workflowservice.v1.WorkflowService' };
  return connection
    .withDeadline(Date.now() + 2_000, () => connection.healthService.check(check))
    .then(
      ({ status }) => status === 1,
      () => false,
    );
};

/**
 * Waits until our server is ready to serve. Then sets the retention of the namespace to `retentionDays`, and
 * creates the namespace if it does not exist.
 * @throws {SetupError} if the server does not serve within 60 s, or if it refuses the namespace. The message ends with
 *   the sentence that `readLastError` returns.
 */
export async function prepareTemporal(
  { address, namespace }: Config['temporal'],
  retentionDays: number,
  signal: AbortSignal,
  readLastError = () => 'Its log says why.',
) {
  const connection = Connection.lazy({ address, channelArgs });
  try {
    const onTimeout = () => `The Temporal server does not serve after ${upWithinMs / 1_000} s. ${readLastError()}`;
    await until(() => isServing(connection), { withinMs: upWithinMs, everyMs: 100, signal, onTimeout });
    const workflowExecutionRetentionTtl = { seconds: (retentionDays * 86_400) as never };
    await connection.withAbortSignal(signal, () =>
      connection.workflowService
        .updateNamespace({ namespace, config: { workflowExecutionRetentionTtl } })
        .catch((error: unknown) => {
          if (!isGrpcServiceError(error) || error.code !== grpcStatus.NOT_FOUND) throw error;
          return connection.workflowService.registerNamespace({
            namespace,
            workflowExecutionRetentionPeriod: workflowExecutionRetentionTtl,
          });
        })
        .catch((error: unknown) => {
          if (!isGrpcServiceError(error) || signal.aborted) throw error;
          throw new SetupError(
            `The Temporal server cannot set up its namespace (${error.details}). ${readLastError()}`,
          );
        }),
    );
  } finally {
    await connection.close();
  }
}
