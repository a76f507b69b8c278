import type { Client } from '@temporalio/client';
import { type ChunkMemo, type Counts, slicedChunkType, toChunkId } from '../../contract.ts';
import { none, toTotal } from '../../slices/counts.ts';
import type { InTurn } from '../../temporal/admission.ts';
import { isNotFound } from '../../temporal/errors.ts';
import type { BatchState } from './batch-items.ts';

/** One read of a batch reads the memos of at most 20 chunks, 5 of them at once. */
const maximumChunks = 20;
const chunksAtOnce = 5;

/**
 * Returns the counts of a batch whose items begin in slices. The batch knows the counts of its chunks, but a chunk
 * reports them less and less often. The memo of a chunk has newer ones. Chunks start in order, so the first chunk that
 * does not exist ends the search. A chunk is read until the batch knows how all its items ended, so the counts never
 * shrink. The batch never knows it of a chunk that failed, so such a chunk is read even after the end of the batch.
 * Each chunk is read in a turn of its own.
 */
export async function readProgress(client: Client, { id, memo, end }: BatchState, inTurn: InTurn): Promise<Counts> {
  const { chunkSizes, chunks = {}, failedChunks = [] } = memo;
  const toSize = (number: number) => chunkSizes[number] ?? 0;
  const readKnown = (number: number): Counts => {
    const [completed = 0, failed = 0, cancelled = 0] = chunks[number] ?? [];
    return { completed, failed, cancelled };
  };
  const isOpen = (number: number) =>
    end !== 'completed' && end !== 'cancelled' && toTotal(readKnown(number)) < toSize(number);
  const isFailed = (number: number) => failedChunks.includes(number);
  const wanted = [...chunkSizes.keys()].filter((number) => isOpen(number) || isFailed(number)).slice(0, maximumChunks);
  const progress = { ...none, ...memo.progress };
  for (let read = 0; read < wanted.length; read += chunksAtOnce) {
    const numbers = wanted.slice(read, read + chunksAtOnce);
    const found = await Promise.all(
      numbers.map((number) => inTurn(() => readChunkMemo(client, toChunkId(id, number)))),
    );
    for (const [n, number] of numbers.entries()) {
      const known = readKnown(number);
      const inMemo = found[n]?.progress ?? none;
      const newer = isFailed(number) ? toFailed(known, inMemo, toSize(number)) : toLarger(known, inMemo);
      for (const each of ['completed', 'failed', 'cancelled'] as const) progress[each] += newer[each] - known[each];
    }
    if (numbers.some((number, n) => !found[n] && !isFailed(number))) break;
  }
  return progress;
}

const toLarger = (known: Counts, inMemo: Counts) => (toTotal(inMemo) > toTotal(known) ? inMemo : known);

/** Returns the counts of a chunk that failed. Its items without an end count as failed. */
function toFailed(known: Counts, inMemo: Counts, size: number): Counts {
  const completed = Math.max(known.completed, inMemo.completed);
  const cancelled = Math.max(known.cancelled, inMemo.cancelled);
  return { completed, failed: size - completed - cancelled, cancelled };
}

/** Returns the memo of a chunk, or `undefined` if there is no such chunk. */
async function readChunkMemo(client: Client, chunkId: string): Promise<ChunkMemo | undefined> {
  try {
    const { type, memo = {} } = await client.workflow.getHandle(chunkId).describe();
    return type === slicedChunkType ? (memo as ChunkMemo) : {};
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return undefined;
  }
}
