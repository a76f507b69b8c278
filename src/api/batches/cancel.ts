import { createRoute } from '@hono/zod-openapi';
import type { Client } from '@temporalio/client';
import { type AttemptsArguments, attemptsSignal, type BatchMemo, toChunkId } from '../../contract.ts';
import type { InTurn } from '../../temporal/admission.ts';
import { toProgress } from '../../temporal/engines/activity-state.ts';
import { isNotFound } from '../../temporal/errors.ts';
import { noInput, readBody, toInput } from '../http/body.ts';
import { anyBody, anyPost, noQuery, toBody, toResponses } from '../problems/openapi.ts';
import { orNotFound, Problem, toNoBatchProblem } from '../problems/problem.ts';
import type { TaskApp } from '../tasks/dependencies.ts';
import { taskProblems } from '../tasks/task-operations.ts';
import { requireBatchName } from '../views/task-id.ts';
import { batchIdParameter, batchSchema } from './batch-schemas.ts';
import type { BatchDependencies } from './dependencies.ts';

const chunksAtOnce = 20;

const route = createRoute({
  method: 'post',
  path: '/batches/{id}/cancel',
  operationId: 'cancelBatch',
  tags: ['Batches'],
  summary: 'Cancel a batch',
  description:
    'Items without a running attempt end at once. Running attempts end with their next heartbeat. Items that have ' +
    'ended stay as they are. Cancelling a cancelled batch again changes nothing, and the answer is 202. If the batch ' +
    'has completed or failed, the answer is 409.',
  request: { params: batchIdParameter, query: noQuery },
  responses: {
    202: toBody(batchSchema, 'The batch. It ends when its running attempts have ended'),
    ...toResponses(...anyPost, ...anyBody, ...taskProblems, 'already-finished'),
  },
});

/** Adds `POST /batches/{id}/cancel`, which answers 409 if the batch has completed or failed. */
export function addCancelRoute(app: TaskApp, { client, admission, view }: BatchDependencies) {
  app.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    const name = requireBatchName(c.var.owner, id);
    toInput(noInput, await readBody(c));
    const inTurn: InTurn = (work) => admission.call(c.var.owner, work);
    let { batch } = await view.readState(id, name, inTurn);
    // If the batch ends after this read, Temporal accepts the cancellation and does nothing.
    if (!batch.finishedAt) {
      await orNotFound(cancelBatch(client, id, inTurn), toNoBatchProblem);
      batch = (await view.readState(id, name, inTurn)).batch;
    }
    if (batch.status === 'completed' || batch.status === 'failed')
      throw new Problem('already-finished', `The batch has ${batch.status}`);
    return c.json(batch, 202);
  });
}

/**
 * Cancels a batch. First sends the batch a signal with the number of attempts that each waiting item has made, because
 * Temporal forgets these numbers when it cancels the items. A batch that ends during this call stays as it is.
 */
async function cancelBatch(client: Client, id: string, inTurn: InTurn): Promise<void> {
  const handle = client.workflow.getHandle(id);
  const { raw, memo } = await inTurn(() => handle.describe());
  // After an operator's reset, the chunks of the earlier run are not children of this run.
  const chunks = raw.workflowExtendedInfo?.lastResetTime
    ? (memo as BatchMemo).chunkSizes.map((_, number) => toChunkId(id, number))
    : (raw.pendingChildren ?? []).map(({ workflowId }) => workflowId ?? '');
  const attempts: Record<string, number> = {};
  while (chunks.length > 0) {
    const found = await Promise.all(
      chunks.splice(0, chunksAtOnce).map((chunk) => inTurn(() => readWaiting(client, chunk))),
    );
    Object.assign(attempts, ...found);
  }
  await inTurn(async () => {
    if (Object.keys(attempts).length > 0)
      await handle.signal<AttemptsArguments>(attemptsSignal, attempts).catch(ignoreNotFound);
    await handle.cancel();
  });
}

/** Returns the number of attempts that each waiting item of a chunk has made, by the item's index. */
async function readWaiting(client: Client, chunkId: string): Promise<Record<string, number>> {
  const description = await client.workflow.getHandle(chunkId).describe().catch(ignoreNotFound);
  const items = (description?.raw.pendingActivities ?? []).map(
    (activity) => [activity.activityId ?? '', toProgress(activity)] as const,
  );
  const waiting = items.filter(
    ([id, { status, attemptsMade }]) => /^\d+$/.test(id) && ['queued', 'retrying'].includes(status) && attemptsMade > 0,
  );
  return Object.fromEntries(waiting.map(([index, { attemptsMade }]) => [index, attemptsMade]));
}

function ignoreNotFound(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
}
