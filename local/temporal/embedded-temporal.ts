import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { status as grpcStatus } from '@grpc/grpc-js';
import { Connection, isGrpcServiceError } from '@temporalio/client';
import { SetupError } from '../../cli/setup-error.ts';
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
 * - Queue progress is saved every second instead of every 30 s. After a crash the server repeats what it had not saved: it would
 *   dispatch a task that waits for its next attempt too early.
 * - 2000 polls of the transfer queue a second instead of 20: each dispatch waited about 45 ms for the next poll.
 */
export const dynamicConfigFlags = flag('--dynamic-config-value', [
  'matching.numTaskqueueReadPartitions=1',
  'matching.numTaskqueueWritePartitions=1',
  'matching.useNewMatcher=true',
  'history.transferProcessorUpdateAckInterval="1s"',
  'history.transferProcessorMaxPollRPS=2000',
]);

/** Go's garbage collector runs when the heap has grown fivefold, not twofold: a tenth more tasks a second for memory. */
const garbageCollectionPercent = '400';

/** The one database file of the embedded server. */
export const toDatabasePath = (dataDir: string) => join(resolve(dataDir), databaseFile);

/**
 * The embedded server as a child. WAL with `synchronous=NORMAL` keeps every accepted task through kill -9 of any process;
 * after a power cut the last moments may be missing.
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
    // The server takes the file's name for part of a URL: DATA_DIR stays out of it, whatever it is called.
    cwd: dataDir,
    env: { GOGC: process.env.GOGC ?? garbageCollectionPercent },
    stopWithinMs: 10_000,
    foreign: true,
  };
}

/** Resolves once the server serves; `signal` gives up waiting. */
async function waitUntilServing(connection: Connection, signal: AbortSignal) {
  const deadline = performance.now() + upWithinMs;
  for (;;) {
    const check = { service: 'temporal.api.workflowservice.v1.WorkflowService' };
    const health = await connection
      .withDeadline(Date.now() + 2_000, () => connection.healthService.check(check))
      .catch(() => undefined);
    if (health?.status === 1) return;
    if (performance.now() > deadline)
      throw new SetupError(`The Temporal server does not serve after ${upWithinMs / 1_000} s: see its words.`);
    await sleep(100, undefined, { signal });
  }
}

/** Waits for a server that we started, then has it keep finished tasks as long as configured; makes the namespace where there is none. */
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
    await waitUntilServing(connection, signal);
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
