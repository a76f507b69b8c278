import {
  CancellationScope,
  CancelledFailure,
  type ChildWorkflowOptions,
  condition,
  defineSignal,
  isCancellation,
  setHandler,
  startChild,
  TemporalFailure,
  upsertMemo,
  workflowInfo,
} from '@temporalio/workflow';
import {
  type AttemptsArguments,
  attemptsSignal,
  type BatchArguments,
  type ChunkArguments,
  type Counts,
  chunkType,
  type Inputs,
  type ProgressArguments,
  progressSignal,
  toChunkId,
  workflowTaskTimeoutMs,
} from '../contract.ts';
import type { TaskName } from '../tasks.ts';
import { type runChunk, toTotal } from './run-chunk.ts';

/** More items of a batch in flight would fill the server's queues: in a measurement, 1,000 starved a single task. */
const maximumInFlight = 400;

/**
 * Runs a batch and returns its counts. Each chunk of its items is a child workflow. A chunk starts as soon as its items
 * fit under the limit of 400 items in flight. An item that has ended makes room for another item, even while other
 * items of its chunk are retried. After each change of the counts, the memo gets them as `progress`, so the API can
 * read them even while no worker runs. A cancelled batch waits for running attempts to end. Items that have neither
 * completed nor failed by then count as cancelled.
 */
export async function runBatch<N extends TaskName>({
  inputs,
  chunkSizes,
  ...common
}: BatchArguments<N>): Promise<Counts> {
  const { workflowId } = workflowInfo();
  const countsByChunk = new Map<string, Counts>();
  const toProgress = () => toSum([...countsByChunk.values()]);
  const update = (chunkId: string, counts: Counts) => {
    if (toTotal(counts) <= toTotal(countsByChunk.get(chunkId) ?? none)) return;
    countsByChunk.set(chunkId, counts);
    upsertMemo({ progress: toProgress() });
  };
  setHandler(defineSignal<ProgressArguments>(progressSignal), update);
  setHandler(defineSignal<AttemptsArguments>(attemptsSignal), (attempts) => upsertMemo({ attempts }));

  /** Runs a chunk. Resolves when all its items are counted, even if the chunk's workflow failed or was cancelled. */
  const run = async (number: number, size: number, first: number) => {
    const chunkId = toChunkId(workflowId, number);
    try {
      const chunkInputs = toSlice(inputs, first, size);
      update(
        chunkId,
        await untilChunkEnds({
          workflowId: chunkId,
          workflowTaskTimeout: workflowTaskTimeoutMs,
          args: [{ ...common, first, inputs: chunkInputs }],
        }),
      );
    } catch (error) {
      if (!(error instanceof TemporalFailure)) throw error;
      const known = countsByChunk.get(chunkId) ?? none;
      const end = isCancellation(error) ? 'cancelled' : 'failed';
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

/**
 * Runs a chunk to its end and returns its counts. If the batch is cancelled, cancels the chunk, but only after the
 * chunk has started. Temporal refuses to cancel a child workflow that has not started, and the SDK does not repeat the
 * refused request, so the chunk would keep running (seen when a cancellation came within 50 ms of a submission).
 */
async function untilChunkEnds<N extends TaskName>(
  options: ChildWorkflowOptions & { args: [ChunkArguments<N>] },
): Promise<Counts> {
  const { cancelRequested } = CancellationScope.current();
  return CancellationScope.nonCancellable(async () => {
    const chunk = new CancellationScope();
    const child = await chunk.run(() => startChild<typeof runChunk<N>>(chunkType, options));
    cancelRequested.catch(() => chunk.cancel());
    return child.result();
  });
}

const none: Counts = { completed: 0, failed: 0, cancelled: 0 };

const toSum = (all: Counts[]): Counts =>
  all.reduce(
    (sum, { completed, failed, cancelled }) => ({
      completed: sum.completed + completed,
      failed: sum.failed + failed,
      cancelled: sum.cancelled + cancelled,
    }),
    none,
  );

const toSlice = <N extends TaskName>(inputs: Inputs<N>, first: number, size: number): Inputs<N> =>
  Array.isArray(inputs) ? inputs.slice(first, first + size) : { count: size, input: inputs.input };
