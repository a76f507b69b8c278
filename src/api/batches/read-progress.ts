import type { Client } from '@temporalio/client';
import { type BatchMemo, type ChunkMemo, type Counts, slicedChunkType, toChunkId } from '../../contract.ts';
import { none, toTotal } from '../../slices/counts.ts';
import { isNotFound } from '../../temporal/errors.ts';

/** One read of a batch reads the memos of at most 20 chunks, 5 of them at once. */
const maximumChunks = 20;
const chunksAtOnce = 5;

/**
 * Returns the counts of an open batch whose items begin in slices. The batch knows the counts of its chunks, but a
 * chunk reports them less and less often. The memo of a chunk has newer ones. Chunks start in order, so the first chunk
 * that does not exist ends the search. A chunk is read until the batch knows how all its items ended, so the counts
 * never shrink.
 */
export async function readProgress(client: Client, id: string, memo: BatchMemo): Promise<Counts> {
  const { chunkSizes, chunks = {} } = memo;
  const readKnown = (number: number): Counts => {
    const [completed = 0, failed = 0, cancelled = 0] = chunks[number] ?? [];
    return { completed, failed, cancelled };
  };
  const open = [...chunkSizes.keys()].filter((number) => toTotal(readKnown(number)) < (chunkSizes[number] ?? 0));
  const progress = { ...none, ...memo.progress };
  for (let read = 0; read < Math.min(open.length, maximumChunks); read += chunksAtOnce) {
    const numbers = open.slice(read, read + chunksAtOnce);
    const found = await Promise.all(numbers.map((number) => readChunkMemo(client, toChunkId(id, number))));
    for (const [n, number] of numbers.entries()) {
      const known = readKnown(number);
      const newer = found[n]?.progress ?? none;
      if (toTotal(newer) <= toTotal(known)) continue;
      for (const end of ['completed', 'failed', 'cancelled'] as const) progress[end] += newer[end] - known[end];
    }
    if (found.includes(undefined)) break;
  }
  return progress;
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
