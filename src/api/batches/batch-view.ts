import type { Client } from '@temporalio/client';
import { type BatchMemo, batchType, slicedBatchType } from '../../contract.ts';
import { none } from '../../slices/counts.ts';
import type { TaskName } from '../../tasks.ts';
import type { InTurn } from '../../temporal/admission.ts';
import { readStuck } from '../../temporal/engines/stuck.ts';
import { closedStatuses } from '../../temporal/engines/task-state.ts';
import { orNotFound, toNoBatchProblem } from '../problems/problem.ts';
import { type BatchState, readChunk } from './batch-items.ts';
import type { Batch, BatchItem } from './batch-schemas.ts';
import { type Chunk, toChunksFrom } from './chunks.ts';
import { readProgress } from './read-progress.ts';

type Page = { items: BatchItem[]; next: number | undefined };

/** One request reads the chunks of at most 2,000 items, 3 chunks at once. Outputs can have 16 KiB each. */
const maximumItemsRead = 2_000;
const chunksAtOnce = 3;
/** A page has at most this many bytes. A request that has read as many begins no further chunk. */
const maximumPageBytes = 4 * 1024 * 1024;

/** Creates the functions that read batches. `readPage` makes two RPCs or more for each chunk. */
export function createBatchView(client: Client) {
  /**
   * Reads a batch without its items, and the state that `readPage` needs. Reads the batch and each of its open chunks
   * in a turn of its own.
   * @throws {Problem} `not-found`
   */
  const readState = async (
    id: string,
    name: TaskName,
    inTurn: InTurn,
  ): Promise<{ state: BatchState; batch: Batch }> => {
    const { description, stuck } = await inTurn(() => describe(client, id));
    const memo = description.memo as BatchMemo | undefined;
    // Anyone with access to Temporal can start a workflow with this id, so require the type and memo that the API sets.
    const isSliced = description.type === slicedBatchType;
    if (!(isSliced || description.type === batchType) || !memo?.chunkSizes) throw toNoBatchProblem();
    const end = closedStatuses[description.status.name];
    const finishedAt = description.closeTime?.toISOString();
    const state = { id, memo, end };
    const counted = isSliced ? { ...memo, progress: await readProgress(client, state, inTurn) } : memo;
    return { state, batch: { ...toBatch(id, name, counted, end, finishedAt), ...stuck } };
  };

  /**
   * Reads up to `limit` items, from index `start` on. With a `status`, reads only items of that status. The page may
   * then be short or empty, because one request reads at most 2,000 items, and about 4 MiB of them. It reads each chunk
   * in a turn of its own. A page ends early if its items have over 4 MiB. `next` is the index at which the next page
   * begins, or undefined on the last page.
   */
  const readPage = async (
    state: BatchState,
    { start, limit, status }: { start: number; limit: number; status?: BatchItem['status'] | undefined },
    inTurn: InTurn,
  ): Promise<Page> => {
    const { chunkSizes } = state.memo;
    const chunks = toChunksFrom(chunkSizes, start);
    const wanted = status ? chunks : chunks.filter(({ first }) => first < start + limit);
    const items: BatchItem[] = [];
    let read = 0;
    let bytes = 0;
    const affordable = toAffordable(wanted);
    while (read < affordable.length && items.length < limit && bytes < maximumPageBytes) {
      const group = affordable.slice(read, read + toGroupSize(read, bytes));
      const found = (await Promise.all(group.map((chunk) => inTurn(() => readChunk(client, state, chunk))))).flat();
      read += group.length;
      items.push(...found.filter((item) => item.index >= start && (status === undefined || item.status === status)));
      if (items.length < limit) bytes += found.reduce((sum, item) => sum + toBytes(item), 0);
    }
    const page = toPage(items.slice(0, limit));
    return { items: page, next: items[page.length]?.index ?? chunks[read]?.first };
  };

  return { readState, readPage };
}

async function describe(client: Client, id: string) {
  const description = await orNotFound(client.workflow.getHandle(id).describe(), toNoBatchProblem);
  const hasEnded = closedStatuses[description.status.name] !== undefined;
  return { description, stuck: hasEnded ? undefined : await readStuck(client, description) };
}

export type BatchView = ReturnType<typeof createBatchView>;

/** Returns the first chunks, as far as one request may read them, and at least one. */
function toAffordable(chunks: Chunk[]): Chunk[] {
  const from = chunks[0]?.first ?? 0;
  return chunks.filter(({ first, size }) => first === from || first + size - from <= maximumItemsRead);
}

/** Returns how many chunks to read at once. The chunks that were read before show how large the next ones may be. */
const toGroupSize = (read: number, bytes: number) =>
  bytes === 0 ? 1 : Math.min(chunksAtOnce, Math.ceil(((maximumPageBytes - bytes) * read) / bytes));

const toBytes = (item: BatchItem) => Buffer.byteLength(JSON.stringify(item));

/** Returns the first items, as many as fit into a page, and at least one. */
function toPage(items: BatchItem[]): BatchItem[] {
  let bytes = 0;
  const end = items.findIndex((item, n) => {
    bytes += toBytes(item);
    return n > 0 && bytes > maximumPageBytes;
  });
  return end === -1 ? items : items.slice(0, end);
}

/** Returns the batch that a memo describes. If an operator terminated the batch, unfinished items count as failed. */
export function toBatch(
  id: string,
  name: TaskName,
  { chunkSizes, submittedAt, progress = none }: BatchMemo,
  end?: BatchState['end'],
  finishedAt?: string,
): Batch {
  const { completed, cancelled } = progress;
  const total = chunkSizes.reduce((sum, size) => sum + size, 0);
  const failed = end === 'failed' ? total - completed - cancelled : progress.failed;
  const counts = { total, completed, failed, cancelled, running: total - completed - failed - cancelled };
  return { id, name, ...counts, status: end ?? 'running', submittedAt, ...(finishedAt && { finishedAt }) };
}
