import {
  ActivityCancellationType,
  ActivityFailure,
  CancellationScope,
  CancelledFailure,
  defineSignal,
  getExternalWorkflowHandle,
  isCancellation,
  proxyActivities,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { ChunkArguments, Counts, Inputs } from '../contract.ts';
import type { TaskActivities, TaskInput, TaskName } from '../tasks.ts';

/** A chunk's word to its batch, the counts so far. */
export const progressSignal = defineSignal<[chunk: string, counts: Counts]>('progress');

/**
 * A chunk that is over sooner says nothing in between; a slow one says how far it is, so that others can take its places: after 2 s, then
 * after twice as long each time. Each report is five events of the batch, whose history may have 51,200.
 */
const firstReportMs = 2_000;
const longestReportMs = 60_000;

/** A child's history holds its items' outputs, and one workflow task may bring all of them at once (4 MiB at most). */
const maximumOutputBytes = 16 * 1024;

/**
 * Runs some items of a batch, each as an activity of its own whose id is the item's index: retried, failed and cancelled by itself.
 * Gives counts only; the outputs stay in the history, where the API reads them. A cancelled chunk tells its counts before it ends.
 */
export async function runChunk<N extends TaskName>({
  name,
  options,
  first,
  inputs,
  ...attempt
}: ChunkArguments<N>): Promise<Counts> {
  const { workflowId, parent } = workflowInfo();
  const counts: Counts = { completed: 0, failed: 0, cancelled: 0 };
  const batch = parent && getExternalWorkflowHandle(parent.workflowId);
  // A batch that is gone needs no word.
  const report = async () => await batch?.signal(progressSignal, workflowId, counts).catch(() => {});

  const runItem = async (input: TaskInput<N>, index: number) => {
    const activities: TaskActivities = proxyActivities<TaskActivities>({
      ...options,
      activityId: String(index),
      cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    });
    counts[await toEnd(activities[name](input, { ...attempt, maximumOutputBytes }))] += 1;
  };

  const reports = new CancellationScope();
  const reporting = reports
    .run(async () => {
      let told = 0;
      for (let waitMs = firstReportMs; ; waitMs = Math.min(2 * waitMs, longestReportMs)) {
        await sleep(waitMs);
        if (toTotal(counts) === told) continue;
        told = toTotal(counts);
        await report();
      }
    })
    .catch((error: unknown) => {
      if (!isCancellation(error)) throw error;
    });
  await Promise.all(toList(inputs).map((input, n) => runItem(input, first + n)));
  reports.cancel();
  await reporting;
  if (CancellationScope.current().consideredCancelled) {
    await CancellationScope.nonCancellable(report);
    throw new CancelledFailure('The batch was cancelled');
  }
  return counts;
}

const toList = <N extends TaskName>(inputs: Inputs<N>): TaskInput<N>[] =>
  Array.isArray(inputs) ? inputs : Array.from({ length: inputs.count }, () => inputs.input);

export const toTotal = ({ completed, failed, cancelled }: Counts) => completed + failed + cancelled;

/** How an item ended; an attempt that fails while it is being cancelled is not tried again, and counts as cancelled. */
async function toEnd(item: Promise<unknown>): Promise<keyof Counts> {
  try {
    await item;
    return 'completed';
  } catch (error) {
    if (isCancellation(error)) return 'cancelled';
    if (!(error instanceof ActivityFailure)) throw error;
    return error.retryState === 'CANCEL_REQUESTED' ? 'cancelled' : 'failed';
  }
}
