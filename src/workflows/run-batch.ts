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
import type { BatchArguments, ChunkArguments, Counts, Inputs } from '../contract.ts';
import type { TaskName } from '../tasks.ts';
import { progressSignal, type runChunk, toTotal } from './run-chunk.ts';

/** The attempts that items have made by the time the batch is cancelled: the server forgets those of an item between two attempts. */
export const attemptsSignal = defineSignal<[attempts: Record<string, number>]>('attempts');

/** More would fill the server's queues (measured: 1,000 starve a single task). */
const mostInFlight = 400;
/** A workflow task whose worker died is handed on after this time instead of Temporal's 10 s. */
const workflowTaskTimeout = 5_000;

/**
 * Runs a batch: its items in chunks, a child workflow `{batchId}~{n}` each, as many at once as leave 400 items in flight; an item that
 * is retried for long holds one place, not its chunk's. The counts stand in the memo (`progress`) whenever they change, so
 * that they can be read with no worker alive. A cancelled batch waits for what runs and counts the rest as cancelled.
 */
export async function runBatch<N extends TaskName>({
  inputs,
  chunkSizes,
  ...common
}: BatchArguments<N>): Promise<Counts> {
  const { workflowId } = workflowInfo();
  const toId = (chunk: number) => `${workflowId}~${chunk}`;
  const ended = new Map<string, Counts>();
  const toProgress = () => toSum([...ended.values()]);
  const update = (id: string, counts: Counts) => {
    if (toTotal(counts) <= toTotal(ended.get(id) ?? none)) return;
    ended.set(id, counts);
    upsertMemo({ progress: toProgress() });
  };
  setHandler(progressSignal, update);
  setHandler(attemptsSignal, (attempts) => upsertMemo({ attempts }));

  /** Ends with its items counted, whatever became of it. */
  const run = async (chunk: number, size: number, first: number) => {
    const id = toId(chunk);
    try {
      const chunkInputs = toSlice(inputs, first, size);
      update(
        id,
        await untilChunkEnds({
          workflowId: id,
          workflowTaskTimeout,
          args: [{ ...common, first, inputs: chunkInputs }],
        }),
      );
    } catch (error) {
      if (!(error instanceof TemporalFailure)) throw error;
      const known = ended.get(id) ?? none;
      const end = isCancellation(error) ? 'cancelled' : 'failed';
      update(id, { ...known, [end]: known[end] + size - toTotal(known) });
    }
  };

  const started: Promise<void>[] = [];
  let first = 0;
  try {
    for (const [chunk, size] of chunkSizes.entries()) {
      const inFlight = () => first - toTotal(toProgress());
      await condition(() => inFlight() === 0 || inFlight() + size <= mostInFlight);
      started.push(run(chunk, size, first));
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
 * Cancelled as its caller is, but not before it has started: Temporal refuses to cancel a child that it has yet to start, the SDK does not
 * ask again, and the child would run on to its own end (seen when a cancel came within some 50 ms of a submission).
 */
async function untilChunkEnds<N extends TaskName>(
  options: ChildWorkflowOptions & { args: [ChunkArguments<N>] },
): Promise<Counts> {
  const { cancelRequested } = CancellationScope.current();
  return CancellationScope.nonCancellable(async () => {
    const chunk = new CancellationScope();
    const child = await chunk.run(() => startChild<typeof runChunk<N>>('run-chunk', options));
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
