import {
  ActivityCancellationType,
  CancellationScope,
  CancelledFailure,
  proxyActivities,
  workflowInfo,
} from '@temporalio/workflow';
import type { TaskActivityOptions } from '../policy.ts';
import type { AttemptOptions, TaskActivities, TaskInput, TaskName, TaskOutput } from '../tasks.ts';

export type TaskArguments<N extends TaskName = TaskName> = {
  input: TaskInput<N>;
  options: TaskActivityOptions;
} & AttemptOptions;

/**
 * Runs one task: the activity of the workflow's own name, under the options that came with the start.
 * A cancelled task waits for the running attempt and always ends as cancelled, whatever that attempt brought.
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
