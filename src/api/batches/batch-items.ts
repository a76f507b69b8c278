import type { Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { type BatchMemo, toChunkId } from '../../contract.ts';
import { isNotFound, PendingActivityState, RetryState, toEpochMs, toFailure, toResult } from '../../temporal/client.ts';
import { terminated, toReason } from '../views/history.ts';
import type { BatchItem } from './batch-schemas.ts';
import type { Chunk } from './chunks.ts';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
type PendingActivity = temporal.api.workflow.v1.IPendingActivityInfo;
type State = Omit<BatchItem, 'index'>;

const queued: State = { status: 'queued', attempts: 0 };

/** What is read of the batch before its items: whether it has ended, and what its memo says. */
export type BatchState = { id: string; memo: BatchMemo; end: 'completed' | 'cancelled' | 'failed' | undefined };

/**
 * The items of one chunk, from its history (what has ended) and, while it is open, its description (what is pending): both are the
 * server's, no worker is asked. The history comes first, so that an item that ends in between is pending nowhere rather than lost; its
 * end then stands in the history, which is read once more. Empty for a chunk that the server keeps no longer.
 */
export async function readChunk(client: Client, { id, memo, end }: BatchState, chunk: Chunk): Promise<BatchItem[]> {
  const handle = client.workflow.getHandle(toChunkId(id, chunk.number));
  const read = async (isSecond = false): Promise<Map<string, State>> => {
    const { events } = await handle.fetchHistory();
    const states = await toEnds(client, events ?? []);
    const { raw, status } = await handle.describe();
    const open = status.name === 'RUNNING' ? (raw.pendingActivities ?? []) : [];
    const pending = new Map(open.map((activity) => [activity.activityId ?? '', activity]));
    const hasEndedMeanwhile = [...states].some(([index, state]) => !isEnd(state) && !pending.has(index));
    if (hasEndedMeanwhile && !isSecond) return read(true);
    for (const [index, activity] of pending)
      if (!isEnd(states.get(index))) states.set(index, await toPending(client, activity));
    return states;
  };
  try {
    const states = await read();
    return toItems(chunk, (index) => settle(states.get(String(index)) ?? queued, memo.attempts?.[index], end));
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return end === 'completed' ? [] : toItems(chunk, () => settle(queued, undefined, end));
  }
}

const toItems = ({ first, size }: Chunk, toState: (index: number) => State): BatchItem[] =>
  Array.from({ length: size }, (_, n) => ({ index: first + n, ...toState(first + n) }));

const isEnd = (state: State | undefined) => ['completed', 'failed', 'cancelled'].includes(state?.status ?? '');

/** The end of a batch is the end of every item; of a cancelled one between two attempts the batch's memo knows how many it made. */
function settle(state: State, attempts: number | undefined, end: BatchState['end']): State {
  if (end === 'failed' && !isEnd(state)) return { ...state, status: 'failed', failure: terminated };
  const { status } = end === 'cancelled' && !isEnd(state) ? { status: 'cancelled' as const } : state;
  return { ...state, status, attempts: status === 'cancelled' ? state.attempts || (attempts ?? 0) : state.attempts };
}

/** The state of each scheduled item as far as the history has it; one that came back to a workflow without a worker is still `running`. */
async function toEnds(client: Client, events: HistoryEvent[]): Promise<Map<string, State>> {
  const indexes = new Map<string, string>();
  const states = new Map<string, State>();
  for (const event of events) {
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (scheduled) {
      indexes.set(String(event.eventId), scheduled.activityId ?? '');
      states.set(scheduled.activityId ?? '', { status: 'running', attempts: 1 });
    }
    const index = indexes.get(String(toScheduledEventId(event)));
    if (index === undefined) continue;
    states.set(index, { ...(states.get(index) ?? queued), ...(await toChange(client, event)) });
  }
  return states;
}

const toScheduledEventId = (event: HistoryEvent) =>
  (
    event.activityTaskStartedEventAttributes ??
    event.activityTaskCancelRequestedEventAttributes ??
    event.activityTaskCompletedEventAttributes ??
    event.activityTaskFailedEventAttributes ??
    event.activityTaskTimedOutEventAttributes ??
    event.activityTaskCanceledEventAttributes
  )?.scheduledEventId;

/** What one event changes about an item. */
async function toChange(client: Client, event: HistoryEvent): Promise<Partial<State>> {
  const started = event.activityTaskStartedEventAttributes;
  if (started)
    return {
      attempts: started.attempt ?? 1,
      ...(started.lastFailure && { lastFailure: await toFailure(client, started.lastFailure) }),
    };
  if (event.activityTaskCancelRequestedEventAttributes) return { status: 'cancelling' };
  const completed = event.activityTaskCompletedEventAttributes;
  if (completed)
    return { status: 'completed', output: (await toResult(client, completed.result)) as BatchItem['output'] };
  const failed = event.activityTaskFailedEventAttributes ?? event.activityTaskTimedOutEventAttributes;
  if (!failed?.failure) return { status: 'cancelled', ...(!startedBefore(event) && { attempts: 0 }) };
  const failure = await toFailure(client, failed.failure);
  if (failed.retryState === RetryState.RETRY_STATE_CANCEL_REQUESTED)
    return { status: 'cancelled', lastFailure: failure };
  return { status: 'failed', lastFailure: failure, failure: { ...failure, reason: toReason(failed.retryState) } };
}

/** An item cancelled before its attempt began, or between two. */
const startedBefore = (event: HistoryEvent) =>
  Number(event.activityTaskCanceledEventAttributes?.startedEventId ?? 0) > 0;

/** An item that has not ended: its attempt is the coming one unless it runs. */
async function toPending(client: Client, activity: PendingActivity): Promise<State> {
  const { attempt, state, lastFailure, nextAttemptScheduleTime } = activity;
  const nextMs = toEpochMs(nextAttemptScheduleTime);
  const isStarted = state !== PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED;
  const isCancelling = state === PendingActivityState.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED;
  const attempts = (attempt ?? 1) - (isStarted ? 0 : 1);
  const failed = lastFailure ? { lastFailure: await toFailure(client, lastFailure) } : {};
  if (isStarted) return { status: isCancelling ? 'cancelling' : 'running', attempts, ...failed };
  if (nextMs > Date.now())
    return { status: 'retrying', attempts, nextAttemptAt: new Date(nextMs).toISOString(), ...failed };
  return { status: 'queued', attempts, ...failed };
}
