import type { Client } from '@temporalio/client';
import { type AttemptsArguments, attemptsSignal } from '../../contract.ts';
import { isNotFound } from '../../temporal/errors.ts';
import { toProgress } from '../views/activity-state.ts';

const chunksAtOnce = 20;

/**
 * Cancels a batch. Before that, a signal tells the batch how many attempts its waiting items have made, because Temporal
 * forgets these with the cancellation. A batch that ends meanwhile stays as it is.
 */
export async function cancelBatch(client: Client, id: string): Promise<void> {
  const handle = client.workflow.getHandle(id);
  const { raw } = await handle.describe();
  const chunks = (raw.pendingChildren ?? []).map(({ workflowId }) => workflowId ?? '');
  const attempts: Record<string, number> = {};
  while (chunks.length > 0) {
    const found = await Promise.all(chunks.splice(0, chunksAtOnce).map((chunk) => readWaiting(client, chunk)));
    Object.assign(attempts, ...found);
  }
  if (Object.keys(attempts).length > 0)
    await handle.signal<AttemptsArguments>(attemptsSignal, attempts).catch(ignoreNotFound);
  await handle.cancel();
}

/** The attempts made by each item of a chunk that waits for its next one, by index. */
async function readWaiting(client: Client, chunkId: string): Promise<Record<string, number>> {
  const description = await client.workflow.getHandle(chunkId).describe().catch(ignoreNotFound);
  const items = (description?.raw.pendingActivities ?? []).map(
    (activity) => [activity.activityId ?? '', toProgress(activity)] as const,
  );
  const waiting = items.filter(
    ([, { status, attemptsMade }]) => ['queued', 'retrying'].includes(status) && attemptsMade > 0,
  );
  return Object.fromEntries(waiting.map(([index, { attemptsMade }]) => [index, attemptsMade]));
}

function ignoreNotFound(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
}
