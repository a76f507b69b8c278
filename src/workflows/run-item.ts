import { ActivityCancellationType, ActivityFailure, isCancellation, proxyActivities } from '@temporalio/workflow';
import type { ChunkArguments, Counts, Inputs } from '../contract.ts';
import type { AttemptOptions, TaskActivities, TaskInput, TaskName } from '../tasks.ts';

/** Temporal may send all outputs of a chunk in one message. 500 outputs of this size are 8 MiB. */
export const maximumOutputBytes = 16 * 1024;

/** Runs an item of a batch as an activity of its own. The activity's id is the item's index in the whole batch. */
export function runItem<N extends TaskName>(
  { name, options }: Pick<ChunkArguments<N>, 'name' | 'options'>,
  index: number,
  input: TaskInput<N>,
  attempt: AttemptOptions,
): Promise<unknown> {
  const activities: TaskActivities = proxyActivities<TaskActivities>({
    ...options,
    activityId: String(index),
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
  return activities[name](input, { ...attempt, maximumOutputBytes });
}

/** Returns how an item ended. If an attempt fails during a cancellation, the item counts as cancelled, not failed. */
export async function toEnd(item: Promise<unknown>): Promise<keyof Counts> {
  try {
    await item;
    return 'completed';
  } catch (error) {
    if (isCancellation(error)) return 'cancelled';
    if (!(error instanceof ActivityFailure)) throw error;
    return error.retryState === 'CANCEL_REQUESTED' ? 'cancelled' : 'failed';
  }
}

export const toList = <N extends TaskName>(inputs: Inputs<N>): TaskInput<N>[] =>
  Array.isArray(inputs) ? inputs : Array.from({ length: inputs.count }, () => inputs.input);
