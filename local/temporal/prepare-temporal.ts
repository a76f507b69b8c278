import { status as grpcStatus } from '@grpc/grpc-js';
import { Connection, isGrpcServiceError } from '@temporalio/client';
import { SetupError } from '../../cli/setup-error.ts';
import { until } from '../../cli/until.ts';
import type { Config } from '../../src/config/config.ts';
import { channelOptions } from '../../src/temporal/connection.ts';
import { waitUntilUsable } from './wait-until-usable.ts';

const upWithinMs = 60_000;

/** For a connection to a server that is just starting. */
export const channelArgs = {
  ...channelOptions,
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
 * creates the namespace if it does not exist. Resolves when the server accepts calls about that namespace.
 * @throws {SetupError} if the server does not serve within 60 s, or if it refuses the namespace. The message ends with
 *   the sentence that `readLastError` returns.
 */
export async function prepareTemporal(
  { address, namespace }: Pick<Config['temporal'], 'address' | 'namespace'>,
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
    await waitUntilUsable(connection, namespace, signal);
  } finally {
    await connection.close();
  }
}
