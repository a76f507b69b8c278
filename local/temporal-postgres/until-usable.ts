import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { status as grpcStatus } from '@grpc/grpc-js';
import { Connection, isGrpcServiceError } from '@temporalio/client';
import { SetupError } from '../../cli/setup-error.ts';
import type { Config } from '../../src/config/config.ts';

const withinMs = 60_000;
/** So many different ids in a row, for each asks another shard. */
const shardsToAsk = 20;

/**
 * The frontend says that it serves before it knows a new namespace and before history and matching have joined it: waits until both answer.
 * @throws {SetupError} with the server's latest words.
 */
export async function untilUsable({ address, namespace }: Config['temporal'], signal: AbortSignal) {
  const connection = Connection.lazy({ address });
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
  const deadline = performance.now() + withinMs;
  try {
    for (;;) {
      const fault = await connection
        .withDeadline(Date.now() + 5_000, ask)
        .then(() => undefined)
        .catch(String);
      if (fault === undefined) return;
      if (performance.now() > deadline) throw new SetupError(`The Temporal server takes no calls: ${fault}`);
      await sleep(100, undefined, { signal });
    }
  } finally {
    await connection.close();
  }
}
