import { activityInfo } from '@temporalio/activity';
import { chunkType, slicedChunkType, toItemId } from '../contract.ts';

/**
 * Returns the id of the task that this attempt runs, or `{batchId}/{index}` for an item of a batch.
 *
 * The id is the same in every attempt. The upstream gets it as `Idempotency-Key`, and log lines contain it.
 */
export function toJobId(): string {
  const { workflowExecution, workflowType, activityId } = activityInfo();
  // A standalone activity has no workflow, and its id is the id of the task.
  const id = workflowExecution?.workflowId ?? activityId;
  return workflowType === chunkType || workflowType === slicedChunkType ? toItemId(id, activityId) : id;
}
