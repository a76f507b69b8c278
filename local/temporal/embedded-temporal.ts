import { join, resolve } from 'node:path';
import { status as grpcStatus } from '@grpc/grpc-js';
import { Connection, isGrpcServiceError } from '@temporalio/client';
import { until } from '../../cli/until.ts';
import type { Config } from '../../src/config/config.ts';
import type { ChildSpec } from '../processes/spawn-child.ts';

type Embedded = NonNullable<Config['embedded']>;

const upWithinMs = 60_000;
const flag = (name: string, values: string[]) => values.flatMap((value) => [name, value]);

const databaseFile = 'temporal.db';

/**
 * Server settings for one small server, as flags of `temporal server start-dev`:
 * - One partition a task queue: more partitions cost throughput.
 * - The new matcher: it knows task priorities, so a large batch does not starve single tasks.
 * - Queue progress is saved every second instead of every 30 s. After a crash the server repeats what it had not
 *   saved: it would dispatch a task that waits for its next attempt too early.
 * - 2000 polls of the transfer queue a second instead of 20: each dispatch waited about 45 ms for the next poll.
 */
export const dynamicConfigFlags = flag('--dynamic-config-value', [
  'matching.numTaskqueueReadPartitions=1',
  'matching.numTaskqueueWritePartitions=1',
  'matching.useNewMatcher=true',
  'history.transferProcessorUpdateAckInterval="1s"',
  'history.transferProcessorMaxPollRPS=2000',
]);

// Go collects garbage when the heap has grown fivefold instead of twofold: 10 % more tasks a second for more memory.
const garbageCollectionPercent = '400';

/** Returns the path of the embedded server's only database file. */
export const toDatabasePath = (dataDir: string) => join(resolve(dataDir), databaseFile);

/**
 * Returns how to start the embedded server. WAL with `synchronous=NORMAL` keeps every accepted task through kill -9
 * of any process. A power cut may lose the last moments.
 */
export function temporalServer(cliPath: string, { port, uiPort }: Embedded, { dataDir, temporal }: Config): ChildSpec {
  const pragmas = ['journal_mode=WAL', 'synchronous=NORMAL'];
  return {
    name: 'Temporal',
    command: cliPath,
    args: [
      ...['server', 'start-dev', '--log-level', 'error'],
      ...['--ip', '127.0.0.1', '--port', `${port}`, '--ui-ip', '127.0.0.1', '--ui-port', `${uiPort}`],
      ...['--namespace', temporal.namespace, '--db-filename', databaseFile],
      ...flag('--sqlite-pragma', pragmas),
      ...dynamicConfigFlags,
    ],
    // The server makes the file's name part of a URL. DATA_DIR may contain any character, so it must not be in there.
    cwd: dataDir,
    env: { GOGC: process.env.GOGC ?? garbageCollectionPercent },
    stopWithinMs: 10_000,
    foreign: true,
  };
}

/** Whether the server reports that it serves. */
const isServing = (connection: Connection) => {
  const check = { service: 'temporal.api.workflowservice.v1.WorkflowService' };
  return connection
    .withDeadline(Date.now() + 2_000, () => connection.healthService.check(check))
    .then(
      ({ status }) => status === 1,
      () => false,
    );
};

/**
 * Waits until a server that we started serves, and sets how long its namespace keeps finished tasks. Creates the
 * namespace if there is none.
 * @throws {SetupError} when the server does not serve in time.
 */
export async function prepareTemporal(
  { address, namespace }: Config['temporal'],
  retentionDays: number,
  signal: AbortSignal,
) {
  const connection = Connection.lazy({
    address,
    channelArgs: { 'grpc.initial_reconnect_backoff_ms': 100, 'grpc.max_reconnect_backoff_ms': 500 },
  });
  try {
    const onTimeout = () => `The Temporal server does not serve after ${upWithinMs / 1_000} s. Its log says why.`;
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
        }),
    );
  } finally {
    await connection.close();
  }
}
