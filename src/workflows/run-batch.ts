import {
  CancellationScope,
  CancelledFailure,
  condition,
  isCancellation,
  patched,
  TemporalFailure,
  upsertMemo,
  workflowInfo,
} from '@temporalio/workflow';
import {
  type AttemptsArguments,
  attemptsSignal,
  type BatchArguments,
  type BatchMemo,
  type ChunkArguments,
  type Counts,
  chunkType,
  type Inputs,
  type ProgressArguments,
  progressSignal,
  slicedBatchType,
  slicedChunkType,
  toChunkId,
  workflowTaskTimeoutMs,
} from '../contract.ts';
import { isAttempts, isCounts, isSame, none, toSum, toTotal } from '../slices/counts.ts';
import type { TaskName } from '../tasks.ts';
import { handleSignal } from './handle-signal.ts';
import { untilChunkEnds } from './until-chunk-ends.ts';

/** The limit of batches that earlier builds started. Their input does not have it, so it must never change. */
const formerMaximumInFlight = 400;

/**
 * Runs a batch and returns its counts. Each chunk of its items is a child workflow. In `run-batch-in-slices`, items
 * begin in slices. In `run-batch`, each is an activity of its own. A chunk starts as soon as its items fit under the
 * limit of items in flight. An item that has ended makes room for another item, even while other items of its chunk are
 * retried. After each change of the counts, the memo gets them, so the API can read them even while no worker runs. A
 * cancelled batch waits for running attempts to end. Items that have neither completed nor failed by then count as
 * cancelled.
 */
export async function runBatch<N extends TaskName>({
  inputs,
  chunkSizes,
  maximumInFlight = formerMaximumInFlight,
  ...common
}: BatchArguments<N>): Promise<Counts> {
  const { workflowId, workflowType } = workflowInfo();
  const sizes = new Map(chunkSizes.map((size, number) => [toChunkId(workflowId, number), size]));
  /** The chunks that this run has started. */
  const startedChunks = new Set<string>();
  const countsByChunk = new Map<string, Counts>();
  /** The chunks that failed. Their memos may have newer counts than their reports, which the API then adds. */
  const failedChunks = new Set<string>();
  const readCounts = (chunkId: string) => countsByChunk.get(chunkId) ?? none;
  const toProgress = () => toSum([...countsByChunk.values()]);
  const update = (chunkId: string, counts: Counts, isReset = false) => {
    const known = readCounts(chunkId);
    if (isReset) failedChunks.delete(chunkId);
    if (isSame(counts, known) || (!isReset && toTotal(counts) <= toTotal(known))) return;
    countsByChunk.set(chunkId, counts);
    upsertMemo({ progress: toProgress(), ...toChunkMemo(workflowId, countsByChunk, failedChunks) });
  };
  // After a reset, Temporal repeats the signals to the earlier run. Ignores the reports of chunks that this run has not
  // started yet. Builds up to 0.2 handled them.
  handleSignal<ProgressArguments>(
    progressSignal,
    (chunkId, counts, isReset = false) =>
      isCounts(counts, sizes.get(chunkId as string)) && typeof isReset === 'boolean',
    (chunkId, ...report) => {
      if (startedChunks.has(chunkId) || !patched('ignore-repeated-signals')) update(chunkId, ...report);
    },
  );
  handleSignal<AttemptsArguments>(attemptsSignal, isAttempts, (attempts) => upsertMemo({ attempts }));

  /** Runs a chunk. Resolves when all its items are counted, even if the chunk's workflow failed or was cancelled. */
  const run = async (number: number, size: number, first: number) => {
    const chunkId = toChunkId(workflowId, number);
    startedChunks.add(chunkId);
    try {
      const chunkInputs = toSlice(inputs, first, size);
      const options = {
        chunkType: workflowType === slicedBatchType ? slicedChunkType : chunkType,
        workflowId: chunkId,
        workflowTaskTimeout: workflowTaskTimeoutMs,
        args: [{ ...common, first, inputs: chunkInputs }] as [ChunkArguments<N>],
      };
      const progress = { size, read: () => readCounts(chunkId), clear: () => update(chunkId, none, true) };
      update(chunkId, await untilChunkEnds(options, progress));
    } catch (error) {
      if (!(error instanceof TemporalFailure)) throw error;
      const known = readCounts(chunkId);
      const end = isCancellation(error) ? 'cancelled' : 'failed';
      if (end === 'failed') failedChunks.add(chunkId);
      update(chunkId, { ...known, [end]: known[end] + size - toTotal(known) });
    }
  };

  const started: Promise<void>[] = [];
  let first = 0;
  try {
    for (const [number, size] of chunkSizes.entries()) {
      const inFlight = () => first - toTotal(toProgress());
      await condition(() => inFlight() === 0 || inFlight() + size <= maximumInFlight);
      started.push(run(number, size, first));
      first += size;
    }
  } catch (error) {
    if (!isCancellation(error)) throw error;
  }
  await Promise.all(started);
  if (!CancellationScope.current().consideredCancelled) return toProgress();
  const total = chunkSizes.reduce((sum, size) => sum + size, 0);
  const progress = toProgress();
  upsertMemo({ progress: { ...progress, cancelled: total - progress.completed - progress.failed } });
  throw new CancelledFailure('The batch was cancelled');
}

/** Returns what the memo of a batch has about its chunks. */
function toChunkMemo(batchId: string, countsByChunk: Map<string, Counts>, failedChunks: Set<string>) {
  const toNumber = (chunkId: string) => Number(chunkId.slice(batchId.length + 1));
  const counts = [...countsByChunk].map(([chunkId, { completed, failed, cancelled }]) => [
    toNumber(chunkId),
    [completed, failed, cancelled],
  ]);
  return {
    chunks: Object.fromEntries(counts),
    // An operator may reset a failed chunk, and a key that is left out would keep its value.
    failedChunks: [...failedChunks].map(toNumber),
  } satisfies Partial<BatchMemo>;
}

const toSlice = <N extends TaskName>(inputs: Inputs<N>, first: number, size: number): Inputs<N> =>
  Array.isArray(inputs) ? inputs.slice(first, first + size) : { count: size, input: inputs.input };
