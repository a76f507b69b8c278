import { randomUUID } from 'node:crypto';
import { status as grpcStatus } from '@grpc/grpc-js';
import { type Connection, isGrpcServiceError } from '@temporalio/client';
import { until } from '../../cli/until.ts';

const withinMs = 60_000;
/** The number of random workflow ids to ask for. Different ids mostly belong to different history shards. */
const shardsToAsk = 20;

/**
 * Waits until the frontend knows the namespace and has found the history and matching services. The frontend's health
 * check is not enough, because it succeeds earlier.
 * @throws {SetupError} with the server's latest error, if that takes longer than 60 s.
 */
export async function waitUntilUsable(connection: Connection, namespace: string, signal: AbortSignal) {
  const { workflowService } = connection;
  const ask = async () => {
    await workflowService.describeTaskQueue({ namespace, taskQueue: { name: 'is-there-matching' } });
    for (let asked = 0; asked < shardsToAsk; asked += 1)
      await workflowService
        .describeWorkflowExecution({ namespace, execution: { workflowId: randomUUID() } })
        .catch((error: unknown) => {
          const isAnswer = isGrpcServiceError(error) && error.code === grpcStatus.NOT_FOUND;
          if (!isAnswer || /namespace/i.test(error.details)) throw error;
        });
  };
  let fault = '';
  const isUsable = () =>
    connection.withDeadline(Date.now() + 5_000, ask).then(
      () => true,
      (error: unknown) => {
        fault = String(error);
        return false;
      },
    );
  const onTimeout = () => `The Temporal server accepts no calls after ${withinMs / 1_000} s: ${fault}`;
  await until(isUsable, { withinMs, everyMs: 100, signal, onTimeout });
}
