import type { Client } from '@temporalio/client';
import {
  type ItemOutcome,
  type SliceArguments,
  type SliceSignalArguments,
  sliceSignal,
  sliceType,
} from '../../contract.ts';
import { isSliceResult, isSliceSignal } from '../../slices/reports.ts';
import { createRunningSlices } from '../../slices/running-slices.ts';
import type { AttemptOptions } from '../../tasks.ts';
import { type HistoryEvent, toActivityStates } from '../../temporal/engines/activity-history.ts';
import { type PendingActivity, toPendingState } from '../../temporal/engines/activity-state.ts';
import type { ActivityState } from '../../temporal/engines/task-state.ts';
import { toEpochMs, toValues } from '../../temporal/payloads.ts';

/** The state of an item. `attemptsBefore` counts the attempts before the item's own activity. */
export type ItemState = ActivityState & { attemptsBefore?: number };

export const queued: ItemState = { status: 'queued', attemptsMade: 0 };

export const hasEnded = (state: ActivityState | undefined) =>
  ['completed', 'failed', 'cancelled'].includes(state?.status ?? '');

/**
 * Returns the states of a chunk's items, by index, from the chunk's history and the pending activities of its
 * description. `lacksEnd` is true if an activity is no longer pending, but the history does not show its end yet.
 *
 * An item in a slice is `queued` until the slice has reported it. It is `running` if the slice says that its call is
 * slow, and `retrying` from its failed attempt until its own activity begins.
 */
export async function toItemStates(client: Client, events: HistoryEvent[], pendingActivities: PendingActivity[]) {
  const activities = await toActivityStates(client, events);
  const states = new Map<string, ItemState>();
  const running = createRunningSlices();
  /** By the ids of the events that scheduled the slices. */
  const slices = new Map<string, { slice: string; maximumMs: number }>();
  const before = new Map<string, number>();
  const read = (index: number): ItemState => states.get(String(index)) ?? queued;
  const change = (indexes: number[], state: Partial<ItemState>) => {
    for (const index of indexes) states.set(String(index), { ...read(index), ...state });
  };
  const report = (slice: string, result: unknown, event: HistoryEvent, stillRunning: number[] = []) => {
    // If a slice has no valid result, the chunk attempts its items again.
    if (!isSliceResult(result)) return change(running.end(slice), { status: 'queued' });
    const { outcomes, back } = running.report(slice, result, stillRunning);
    const { maximumMs = 0 } = [...slices.values()].find((found) => found.slice === slice) ?? {};
    for (const outcome of outcomes) change([outcome.index], toState(outcome, toEpochMs(event.eventTime), maximumMs));
    change(back, { status: 'queued' });
    change(running.list(slice), { status: 'running', attemptsMade: 1 });
  };

  for (const event of toSeen(events)) {
    const scheduled = event.activityTaskScheduledEventAttributes;
    const signal = event.workflowExecutionSignaledEventAttributes;
    const ended =
      event.activityTaskCompletedEventAttributes ??
      event.activityTaskFailedEventAttributes ??
      event.activityTaskTimedOutEventAttributes ??
      event.activityTaskCanceledEventAttributes;
    const { slice } = slices.get(String(ended?.scheduledEventId)) ?? {};
    if (scheduled?.activityType?.name === sliceType) {
      const [{ indexes, options }] = (await toValues(client, scheduled.input)) as [SliceArguments];
      slices.set(String(event.eventId), {
        slice: scheduled.activityId ?? '',
        maximumMs: options.retry.maximumInterval,
      });
      running.start(scheduled.activityId ?? '', indexes);
    } else if (scheduled) {
      const [, options] = (await toValues(client, scheduled.input)) as [unknown, AttemptOptions?];
      before.set(scheduled.activityId ?? '', options?.attemptsBefore ?? 0);
    } else if (signal?.signalName === sliceSignal) {
      const args = await toValues(client, signal.input).catch(() => []);
      if (!isSliceSignal(args[0], args[1])) continue;
      const [slice, found] = args as SliceSignalArguments;
      report(slice, found, event, found.running);
    } else if (slice) {
      report(slice, event.activityTaskCompletedEventAttributes && activities.get(slice)?.output, event);
    }
  }
  for (const { slice } of slices.values())
    if (activities.get(slice)?.status === 'cancelling')
      change(
        running.list(slice).filter((index) => read(index).status === 'running'),
        { status: 'cancelling' },
      );
  const pending = new Map(pendingActivities.map((activity) => [activity.activityId ?? '', activity]));
  const open = [...activities].flatMap(([id, state]) => (hasEnded(state) ? [] : [id]));
  for (const [index, attemptsBefore] of before) {
    const activity = open.includes(index) ? pending.get(index) : undefined;
    const own = activity ? await toPendingState(client, activity) : activities.get(index);
    states.set(index, withOwn(read(Number(index)), own, attemptsBefore));
  }
  for (const [index, { nextAttemptAt, ...state }] of states)
    if (nextAttemptAt !== undefined && !before.has(index) && Date.parse(nextAttemptAt) <= Date.now())
      states.set(index, { ...state, status: 'queued' });
  return { states, lacksEnd: open.some((id) => !pending.has(id)) };
}

/** Returns the state of an item whose activity has the state `own`. A lost slice may have begun attempt 1 before. */
const withOwn = ({ attemptsMade, lastFailure }: ItemState, own = queued, attemptsBefore = 0): ItemState => ({
  ...(lastFailure && { lastFailure }),
  ...own,
  attemptsBefore,
  attemptsMade: Math.max(attemptsMade, own.attemptsMade + attemptsBefore),
});

function toState(outcome: ItemOutcome, endedAtMs: number, maximumMs: number): ItemState {
  const attemptsMade = 1;
  if ('output' in outcome) return { status: 'completed', attemptsMade, output: outcome.output };
  if ('cancelled' in outcome) return { status: 'cancelled', attemptsMade };
  const { failure: lastFailure } = outcome;
  if ('reason' in outcome)
    return { status: 'failed', attemptsMade, lastFailure, failure: { ...lastFailure, reason: outcome.reason } };
  const nextAttemptAt = new Date(endedAtMs + Math.min(outcome.waitMs, maximumMs)).toISOString();
  return { status: 'retrying', attemptsMade, lastFailure, nextAttemptAt };
}

/** Sorts events into the order that the workflow sees: in each workflow task, signals come before ended activities. */
function toSeen(events: HistoryEvent[]): HistoryEvent[] {
  const rank = (event: HistoryEvent) =>
    event.activityTaskScheduledEventAttributes ? 0 : event.workflowExecutionSignaledEventAttributes ? 1 : 2;
  // The id of an event is its place in the history, from 1.
  const ends = events.flatMap(({ workflowTaskCompletedEventAttributes: completed }) =>
    completed ? [Number(completed.startedEventId)] : [],
  );
  return [0, ...ends].flatMap((end, n) => events.slice(end, ends[n]).sort((a, b) => rank(a) - rank(b)));
}
