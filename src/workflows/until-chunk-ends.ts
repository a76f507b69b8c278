import {
  CancellationScope,
  type ChildWorkflowOptions,
  condition,
  getExternalWorkflowHandle,
  patched,
  startChild,
} from '@temporalio/workflow';
import { type ChunkArguments, type Counts, reportSignal } from '../contract.ts';
import { toTotal } from '../slices/counts.ts';
import type { TaskName } from '../tasks.ts';
import type { runChunk } from './run-chunk.ts';

/**
 * After this time, a batch checks that a chunk of an earlier run still runs. Each further wait is twice as long as the
 * one before it, because a check adds events to both histories, and an item may wait for months.
 */
const checkMs = 300_000;

type Options<N extends TaskName> = ChildWorkflowOptions & {
  chunkType: string;
  workflowId: string;
  args: [ChunkArguments<N>];
};
type Progress = { size: number; read: () => Counts; clear: () => void };

/**
 * Runs a chunk to its end and returns its counts. `progress` has what the chunk reports meanwhile.
 *
 * After an operator has reset the batch, a chunk of the earlier run may still run under the same id. This function then
 * awaits that chunk. If that chunk ends without a report, because an operator terminated it, the chunk runs again.
 */
export async function untilChunkEnds<N extends TaskName>(options: Options<N>, progress: Progress): Promise<Counts> {
  for (;;) {
    try {
      return await untilChildEnds(options);
    } catch (error) {
      if (!isAlreadyStarted(error) || !patched('await-running-chunk')) throw error;
    }
    if (await isReported(options.workflowId, progress)) return progress.read();
    progress.clear();
  }
}

/** The SDK exports the class of this error only to clients. */
const isAlreadyStarted = (error: unknown) => (error as Error).name === 'WorkflowExecutionAlreadyStartedError';

/**
 * Starts a chunk and awaits its end. If the batch is cancelled, cancels the chunk, but only after the chunk has
 * started. Temporal refuses to cancel a child workflow that has not started, and the SDK does not repeat the refused
 * request, so the chunk would keep running (seen when a cancellation came within 50 ms of a submission).
 */
async function untilChildEnds<N extends TaskName>({ chunkType, ...options }: Options<N>): Promise<Counts> {
  const { cancelRequested } = CancellationScope.current();
  return CancellationScope.nonCancellable(async () => {
    const chunk = new CancellationScope();
    const child = await chunk.run(() => startChild<typeof runChunk<N>>(chunkType, options));
    cancelRequested.catch(() => chunk.cancel());
    return child.result();
  });
}

/** Awaits the end of a chunk that is not a child of this run. Returns whether it reported the end of all its items. */
async function isReported(chunkId: string, { size, read }: Progress): Promise<boolean> {
  const { cancelRequested } = CancellationScope.current();
  return CancellationScope.nonCancellable(async () => {
    const chunk = getExternalWorkflowHandle(chunkId);
    const hasReported = () => toTotal(read()) === size;
    // The cancellation and the signal fail only if the chunk has ended.
    cancelRequested.catch(() => chunk.cancel()).catch(() => {});
    for (let waitMs = checkMs; ; waitMs *= 2) {
      const runs = await chunk.signal(reportSignal).then(
        () => true,
        () => false,
      );
      if (!runs || (await condition(hasReported, waitMs))) return hasReported();
    }
  });
}
