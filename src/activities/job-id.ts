import { activityInfo } from '@temporalio/activity';
import { chunkType, toItemId } from '../contract.ts';

/**
 * What an attempt works for, the same in each attempt: a task by its id, an item of a batch as `{batchId}/{index}`. The upstream gets it as
 * `Idempotency-Key`, and every log line names it.
 */
export function toJobId(): string {
  const { workflowExecution, workflowType, activityId } = activityInfo();
  const id = workflowExecution?.workflowId ?? '';
  return workflowType === chunkType ? toItemId(id, activityId) : id;
}
