import {
  ActivityCancellationType,
  ActivityFailure,
  CancellationScope,
  CancelledFailure,
  condition,
  defineSignal,
  getExternalWorkflowHandle,
  isCancellation,
  patched,
  proxyActivities,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import {
  type ChunkArguments,
  type Counts,
  type Inputs,
  type ProgressArguments,
  progressSignal,
  reportSignal,
} from '../contract.ts';
import type { TaskActivities, TaskInput, TaskName } from '../tasks.ts';
import { none, toTotal } from './counts.ts';

/**
 * A chunk reports its counts to the batch 2 s after they have changed. The batch then knows how many items have ended
 * and may start another chunk. After each report, this delay doubles, up to 60 s. The reason is that each report adds
 * five events to the batch's history, which may have at most 51,200 events.
 */
const firstReportMs = 2_000;
const maximumReportMs = 60_000;

/** Temporal may send a chunk's outputs in one gRPC message of at most 4 MiB. 100 outputs of this size fit into it. */
const maximumOutputBytes = 16 * 1024;

/**
 * Runs some items of a batch. Each item is an activity, which is retried, fails and is cancelled independently of the
 * other items. The activity's id is the item's index in the whole batch. Returns only counts. The outputs stay in the
 * chunk's history, where the API reads them. A cancelled chunk reports its counts before it ends.
 */
export async function runChunk<N extends TaskName>({
  name,
  options,
  first,
  inputs,
  ...attempt
}: ChunkArguments<N>): Promise<Counts> {
  const { workflowId, runId, firstExecutionRunId, parent } = workflowInfo();
  const counts: Counts = { ...none };
  const batch = parent && getExternalWorkflowHandle(parent.workflowId);
  const isReset = runId !== firstExecutionRunId;
  // The signal fails if the batch has ended. Ignore the failure, because the counts are then not needed.
  const report = async () =>
    await batch?.signal<ProgressArguments>(progressSignal, workflowId, counts, isReset).catch(() => {});
  let isAsked = false;
  setHandler(defineSignal(reportSignal), async () => {
    // A worker of an older build may have ignored the signal. A replay must then ignore it as well.
    if (!patched('report-when-asked')) return;
    isAsked = true;
    await report();
  });

  const runItem = async (input: TaskInput<N>, index: number) => {
    const activities: TaskActivities = proxyActivities<TaskActivities>({
      ...options,
      activityId: String(index),
      cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    });
    counts[await toEnd(activities[name](input, { ...attempt, maximumOutputBytes }))] += 1;
  };

  const reports = new CancellationScope();
  // Earlier builds always had a timer running. An item may wait for months, so their history could become too long.
  const waitsForChange = patched('report-after-change');
  const reporting = reports
    .run(async () => {
      let reported = 0;
      for (let waitMs = firstReportMs; ; waitMs = Math.min(2 * waitMs, maximumReportMs)) {
        if (waitsForChange) await condition(() => toTotal(counts) !== reported);
        await sleep(waitMs);
        if (toTotal(counts) === reported) continue;
        reported = toTotal(counts);
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
  // The batch does not get this result if an operator reset the batch, or reset this chunk after its end.
  if (isAsked || (isReset && patched('report-after-reset'))) await report();
  return counts;
}

const toList = <N extends TaskName>(inputs: Inputs<N>): TaskInput<N>[] =>
  Array.isArray(inputs) ? inputs : Array.from({ length: inputs.count }, () => inputs.input);

/** Returns how an item ended. If an attempt fails during a cancellation, the item counts as cancelled, not failed. */
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
