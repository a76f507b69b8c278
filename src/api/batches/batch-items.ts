import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { type BatchMemo, toChunkId } from '../../contract.ts';
import { readStuck } from '../../temporal/engines/stuck.ts';
import { closedStatuses, terminated } from '../../temporal/engines/task-state.ts';
import { isNotFound } from '../../temporal/errors.ts';
import type { BatchItem } from './batch-schemas.ts';
import type { Chunk } from './chunks.ts';
import { hasEnded, type ItemState, queued, toItemStates } from './item-states.ts';

/** What is known about a batch before its items are read. `end` is how the batch ended, if it has. */
export type BatchState = { id: string; memo: BatchMemo; end: 'completed' | 'cancelled' | 'failed' | undefined };

/**
 * Reads the items of a chunk. Needs no worker: the history of the chunk's workflow has the ended items, and its
 * description has the pending ones. Returns an empty list if the batch is completed and Temporal no longer keeps the
 * chunk.
 */
export async function readChunk(client: Client, { id, memo, end }: BatchState, chunk: Chunk): Promise<BatchItem[]> {
  try {
    const toState = await readStates(client, toChunkId(id, chunk.number));
    return toItems(chunk, (index) => settle(toState(index), memo.attempts?.[index], end));
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return end === 'completed' ? [] : toItems(chunk, () => settle(queued, undefined, end));
  }
}

/**
 * The waits before further reads of a chunk. While a worker runs a workflow task of the chunk, Temporal keeps back the
 * ends of its activities: they are no longer pending, and the history does not show them yet.
 */
const furtherReadsAfterMs = [0, 50, 150, 300];

/** Reads the states of a chunk's items. Returns a function from an item's index to its state. */
async function readStates(
  client: Client,
  chunkId: string,
  [waitMs, ...laterWaitsMs] = furtherReadsAfterMs,
): Promise<(index: number) => ItemState> {
  const handle = client.workflow.getHandle(chunkId);
  const { events } = await handle.fetchHistory();
  // The description of a terminated chunk still has the activities that were pending.
  const description = await handle.describe();
  const { raw, status } = description;
  const { states, lacksEnd } = await toItemStates(client, events ?? [], raw.pendingActivities ?? []);
  if (lacksEnd && waitMs !== undefined) {
    await delay(waitMs);
    return readStates(client, chunkId, laterWaitsMs);
  }
  const stuck = await readStuck(client, description);
  return (index) => {
    // An operator can terminate a single chunk, even before it has scheduled its items.
    const state = settle(states.get(String(index)) ?? queued, undefined, closedStatuses[status.name]);
    return hasEnded(state) ? state : { ...state, ...stuck };
  };
}

const toItems = ({ first, size }: Chunk, toState: (index: number) => ItemState): BatchItem[] =>
  Array.from({ length: size }, (_, n) => {
    const { attemptsMade, attemptsBefore, ...state } = toState(first + n);
    return { index: first + n, attempts: attemptsMade, ...(state as Omit<BatchItem, 'index' | 'attempts'>) };
  });

/** Returns the parts of an item's state that stay true if the item's chunk ended before the item. */
const toKept = ({ status, attemptsMade, attemptsBefore = 0, lastFailure }: ItemState) => ({
  ...{ status, attemptsMade, attemptsBefore },
  ...(lastFailure && { lastFailure }),
});

/**
 * Returns the state of an item, adjusted to how its batch or its chunk ended. `knownAttempts` comes from the batch's
 * memo: if the item was cancelled between two attempts, only the memo has the number of attempts that the item made.
 */
function settle(state: ItemState, knownAttempts: number | undefined, end: BatchState['end']): ItemState {
  if (end === 'failed' && !hasEnded(state)) return { ...toKept(state), status: 'failed', failure: terminated };
  if (state.status !== 'cancelled' && (end !== 'cancelled' || hasEnded(state))) return state;
  const kept = toKept(state);
  const attemptsMade = Math.max(kept.attemptsMade, kept.attemptsBefore + (knownAttempts ?? 0));
  return { ...kept, status: 'cancelled', attemptsMade };
}
