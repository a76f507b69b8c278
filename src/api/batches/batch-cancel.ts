import type { Client } from '@temporalio/client';
import { type AttemptsArguments, attemptsSignal } from '../../contract.ts';
import { isNotFound, PendingActivityState } from '../../temporal/client.ts';

const looksAtOnce = 20;

/**
 * Cancels a batch and tells it how many attempts its waiting items have made, for the server forgets those with the cancellation. One
 * that ends meanwhile stays as it is.
 */
export async function cancelBatch(client: Client, id: string): Promise<void> {
  const handle = client.workflow.getHandle(id);
  const { raw } = await handle.describe();
  const chunks = (raw.pendingChildren ?? []).map(({ workflowId }) => workflowId ?? '');
  const attempts: Record<string, number> = {};
  while (chunks.length > 0) {
    const found = await Promise.all(chunks.splice(0, looksAtOnce).map((chunk) => readWaiting(client, chunk)));
    Object.assign(attempts, ...found);
  }
  if (Object.keys(attempts).length > 0)
    await handle.signal<AttemptsArguments>(attemptsSignal, attempts).catch(skipEnded);
  await handle.cancel();
}

/** The attempts made by the items of a chunk that wait for another one, by their indexes. */
async function readWaiting(client: Client, chunk: string): Promise<Record<string, number>> {
  const description = await client.workflow.getHandle(chunk).describe().catch(skipEnded);
  const waiting = (description?.raw.pendingActivities ?? []).filter(
    ({ attempt, state }) => (attempt ?? 1) > 1 && state === PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED,
  );
  return Object.fromEntries(waiting.map(({ activityId, attempt }) => [activityId, (attempt ?? 1) - 1]));
}

function skipEnded(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
}
