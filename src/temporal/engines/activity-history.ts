import type { Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { RetryState, toFailure, toResult } from '../payloads.ts';
import type { ActivityState, FinalFailure } from './task-state.ts';

export type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

/**
 * Returns the states of all activities in a history, by activity id. Temporal writes attempts into the history only
 * when the activity ends, so a pending activity appears as `running` or `cancelling`, with one attempt. The
 * description of its workflow has the real state.
 */
export async function toActivityStates(client: Client, events: HistoryEvent[]): Promise<Map<string, ActivityState>> {
  const idsByEvent = new Map<string, string>();
  const states = new Map<string, ActivityState>();
  for (const event of events) {
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (scheduled) {
      idsByEvent.set(String(event.eventId), scheduled.activityId ?? '');
      states.set(scheduled.activityId ?? '', { status: 'running', attemptsMade: 1 });
    }
    const id = idsByEvent.get(String(toScheduledEventId(event))) ?? '';
    const state = states.get(id);
    if (state) states.set(id, { ...state, ...(await toChange(client, event, events)) });
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

/** Returns what an event changes in the state of its activity. */
async function toChange(client: Client, event: HistoryEvent, events: HistoryEvent[]): Promise<Partial<ActivityState>> {
  const started = event.activityTaskStartedEventAttributes;
  if (started) {
    const { attempt, lastFailure, requestId } = started;
    return {
      // If an operator completes a waiting activity, no attempt begins. Temporal then writes a start event without a
      // request id.
      attemptsMade: (attempt ?? 1) - (requestId ? 0 : 1),
      ...(lastFailure && { lastFailure: await toFailure(client, lastFailure) }),
    };
  }
  if (event.activityTaskCancelRequestedEventAttributes) return { status: 'cancelling' };
  const completed = event.activityTaskCompletedEventAttributes;
  if (completed) return { status: 'completed', output: await toResult(client, completed.result) };
  const failed = event.activityTaskFailedEventAttributes ?? event.activityTaskTimedOutEventAttributes;
  if (failed?.failure) {
    const lastFailure = await toFailure(client, failed.failure, isByOperator(event, events));
    if (failed.retryState === RetryState.RETRY_STATE_CANCEL_REQUESTED) return { status: 'cancelled', lastFailure };
    return { status: 'failed', lastFailure, failure: { ...lastFailure, reason: toReason(failed.retryState) } };
  }
  // If an activity is cancelled between two attempts, the history lacks its attempts, so this 0 may be too low.
  const hasStarted = Number(event.activityTaskCanceledEventAttributes?.startedEventId ?? 0) > 0;
  return { status: 'cancelled', ...(!hasStarted && { attemptsMade: 0 }) };
}

/** Whether the failure was reported by someone other than the worker of the attempt. */
function isByOperator({ activityTaskFailedEventAttributes: failed }: HistoryEvent, events: HistoryEvent[]): boolean {
  if (!failed) return false;
  // The id of an event is its place in the history, from 1.
  const start = events[Number(failed.startedEventId) - 1]?.activityTaskStartedEventAttributes;
  return start?.identity !== failed.identity;
}

/** Returns why Temporal made no further attempt. */
export function toReason(retryState: temporal.api.enums.v1.RetryState | null | undefined): FinalFailure['reason'] {
  if (retryState === RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED) return 'attempts-exhausted';
  return retryState === RetryState.RETRY_STATE_TIMEOUT ? 'timed-out' : 'non-retryable';
}
