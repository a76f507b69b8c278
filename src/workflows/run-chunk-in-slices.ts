import {
  ActivityCancellationType,
  ActivityFailure,
  CancellationScope,
  condition,
  isCancellation,
  proxyActivities,
  sleep,
  upsertMemo,
  workflowInfo,
} from '@temporalio/workflow';
import {
  type ChunkArguments,
  type ChunkMemo,
  type Counts,
  type ItemOutcome,
  type SliceArguments,
  type SliceResult,
  type SliceSignalArguments,
  sliceSignal,
  sliceType,
  toSliceQueue,
} from '../contract.ts';
import type { TaskActivityOptions } from '../policy.ts';
import { none } from '../slices/counts.ts';
import { isSliceResult, isSliceSignal } from '../slices/reports.ts';
import type { TaskName } from '../tasks.ts';
import { handleSignal } from './handle-signal.ts';
import { afterChanges, reportCounts } from './report-counts.ts';
import { maximumOutputBytes, runItem, toEnd, toList } from './run-item.ts';
import { createSlices, formerLimits } from './slices.ts';

/** The API adds the counts in the memos of the open chunks, so the counts of a batch are at most this old. */
const memoMs = 2_000;

/** A slice that waits for free places must not time out, so it gets a day more. Heartbeats still find a dead worker. */
const waitForPlacesMs = 86_400_000;

type SliceActivities = { [sliceType]: (slice: SliceArguments) => Promise<SliceResult> };

/**
 * Runs some items of a batch. A slice makes the first attempts of many items in one activity. An item that fails
 * retryably waits on a timer, then goes on as an activity of its own, whose id is the item's index. Temporal never
 * repeats a slice: only this workflow decides which attempts are made again. Returns only counts. The outputs stay in
 * the chunk's history, where the API reads them. A cancelled chunk waits for its running attempts, and all other items
 * count as cancelled.
 */
export async function runChunkInSlices<N extends TaskName>({
  name,
  options,
  first,
  inputs,
  maximumSliceItems = toList(inputs).length,
  sliceLimits = formerLimits,
  ...attempt
}: ChunkArguments<N>): Promise<Counts> {
  const list = toList(inputs);
  const taskQueue = toSliceQueue(workflowInfo().taskQueue);
  const counts: Counts = { ...none };
  const reports = reportCounts(counts);
  const endMemos = afterChanges(counts, () => upsertMemo({ progress: { ...counts } } satisfies ChunkMemo), [
    memoMs,
    memoMs,
  ]);
  const indexes = list.map((_, n) => first + n);
  const slices = createSlices(indexes, { ...sliceLimits, maximumItems: maximumSliceItems }, options.retry);
  const running: Promise<void>[] = [];

  /** Runs an item as an activity of its own. With `waitMs`, the item has failed in a slice and waits first. */
  const runAlone = async (index: number, waitMs?: number) => {
    const attempts = async () => {
      const input = list[index - first] as (typeof list)[number];
      if (waitMs === undefined) return runItem({ name, options }, index, input, attempt);
      await sleep(Math.min(waitMs, options.retry.maximumInterval));
      return runItem({ name, options: toLaterOptions(options) }, index, input, { ...attempt, attemptsBefore: 1 });
    };
    counts[await toEnd(attempts())] += 1;
  };

  const settle = (outcome: ItemOutcome) => {
    if ('output' in outcome) counts.completed += 1;
    else if ('cancelled' in outcome) counts.cancelled += 1;
    else if ('waitMs' in outcome) running.push(runAlone(outcome.index, outcome.waitMs));
    else counts.failed += 1;
  };
  // After a reset, Temporal repeats the signals to the earlier run. `report` ignores slices unknown to this run.
  handleSignal<SliceSignalArguments>(sliceSignal, isSliceSignal, (slice, report) =>
    slices.report(slice, report, report.running).forEach(settle),
  );

  const runSlice = async (slice: string) => {
    const indexes = slices.take(slice);
    const activities = proxyActivities<SliceActivities>({
      taskQueue,
      activityId: slice,
      startToCloseTimeout: options.startToCloseTimeout + waitForPlacesMs,
      heartbeatTimeout: options.heartbeatTimeout,
      retry: { maximumAttempts: 1 },
      cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    });
    const result = await activities[sliceType]({
      ...{ name, options, ...attempt, maximumOutputBytes, indexes },
      inputs: Array.isArray(inputs)
        ? indexes.map((index) => list[index - first] as (typeof list)[number])
        : { count: indexes.length, input: inputs.input },
    }).catch((error: unknown) => {
      if (!(error instanceof ActivityFailure || isCancellation(error))) throw error;
    });
    if (isSliceResult(result)) slices.report(slice, result).forEach(settle);
    else for (const index of slices.lose(slice)) running.push(runAlone(index));
  };

  try {
    for (let number = 0; ; number += 1) {
      await condition(() => slices.hasWaiting() || !slices.isRunning());
      if (!slices.hasWaiting()) break;
      if (slices.toHoldMs() > 0) await sleep(slices.toHoldMs());
      running.push(runSlice(`slice-${number}`));
      await condition(() => !slices.isBeginning());
    }
  } catch (error) {
    if (!isCancellation(error)) throw error;
  }
  // An item that ends may add another one: the outcomes of a slice add the later attempts.
  for (let ended = 0; ended < running.length; ended += 1) await running[ended];
  await endMemos();
  if (CancellationScope.current().consideredCancelled)
    counts.cancelled = list.length - counts.completed - counts.failed;
  await reports.end();
  return counts;
}

/** Returns the options of the attempts after the first: the waits go on where the first attempt left off. */
const toLaterOptions = ({ retry, ...options }: TaskActivityOptions): TaskActivityOptions => ({
  ...options,
  retry: {
    ...retry,
    initialInterval: Math.min(retry.initialInterval * retry.backoffCoefficient, retry.maximumInterval),
    // 0 would mean that there is no limit.
    maximumAttempts: Math.max(1, retry.maximumAttempts - 1),
  },
});
