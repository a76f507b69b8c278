import {
  ActivityCancellationType,
  CancellationScope,
  CancelledFailure,
  proxyActivities,
  workflowInfo,
} from '@temporalio/workflow';
import type { TaskArguments } from '../contract.ts';
import type { TaskActivities, TaskName, TaskOutput } from '../tasks.ts';

/**
 * Runs one task and returns its output. The activity has the same name as the workflow's type. A cancelled task waits
 * for the running attempt. The task ends as cancelled even if that attempt completes or fails.
 */
export async function runTask<N extends TaskName>({
  input,
  options,
  ...attempt
}: TaskArguments<N>): Promise<TaskOutput<N>> {
  const activities: TaskActivities = proxyActivities<TaskActivities>({
    ...options,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
  try {
    const output = await activities[workflowInfo().workflowType as N](input, attempt);
    throwIfCancelled();
    return output;
  } catch (error) {
    throwIfCancelled();
    throw error;
  }
}

function throwIfCancelled(): void {
  if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('The task was cancelled');
}
