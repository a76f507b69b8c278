import type { Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import {
  type Failure,
  PendingActivityState,
  RetryState,
  toEpochMs,
  toFailure,
  toResult,
} from '../../temporal/payloads.ts';
import type { activityStatuses, FinalFailure } from './schemas.ts';

export type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
export type PendingActivity = temporal.api.workflow.v1.IPendingActivityInfo;

const {
  PENDING_ACTIVITY_STATE_SCHEDULED: SCHEDULED,
  PENDING_ACTIVITY_STATE_PAUSED: PAUSED,
  PENDING_ACTIVITY_STATE_CANCEL_REQUESTED: CANCEL_REQUESTED,
} = PendingActivityState;

/** The state of an activity. A task has one activity, and so has each item of a batch. */
export type ActivityState = {
  status: (typeof activityStatuses)[number];
  /** The number of attempts that have begun, including a running one. */
  attemptsMade: number;
  /** The start of the next attempt, as ISO 8601. Set only while `retrying`. */
  nextAttemptAt?: string;
  lastFailure?: Failure;
  output?: unknown;
  failure?: FinalFailure;
};

/**
 * Returns the attempt number that a task shows, from 1. While the activity waits for an attempt, this is the
 * number of that attempt, otherwise the number of the latest attempt.
 */
export const toShownAttempt = ({ status, attemptsMade }: Pick<ActivityState, 'status' | 'attemptsMade'>) =>
  status === 'queued' || status === 'retrying' ? attemptsMade + 1 : Math.max(1, attemptsMade);

/**
 * Returns the status and attempts of an activity that has not ended. While the activity waits for an attempt,
 * Temporal's `attempt` is already the number of that attempt.
 */
export function toProgress({ attempt, state, nextAttemptScheduleTime }: PendingActivity) {
  const isWaiting = state === SCHEDULED || state === PAUSED;
  const attemptsMade = (attempt ?? 1) - (isWaiting ? 1 : 0);
  if (!isWaiting) return { status: state === CANCEL_REQUESTED ? 'cancelling' : 'running', attemptsMade } as const;
  const nextAttemptMs = toEpochMs(nextAttemptScheduleTime);
  if (nextAttemptMs <= Date.now()) return { status: 'queued', attemptsMade } as const;
  return { status: 'retrying', attemptsMade, nextAttemptAt: new Date(nextAttemptMs).toISOString() } as const;
}

/** Returns the state of an activity that has not ended, as the description of its workflow shows it. */
export async function toPendingState(
  client: Client,
  activity: PendingActivity,
): Promise<Omit<ActivityState, 'output' | 'failure'>> {
  const { lastFailure } = activity;
  return { ...toProgress(activity), ...(lastFailure && { lastFailure: await toFailure(client, lastFailure) }) };
}

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
    if (state) states.set(id, { ...state, ...(await toChange(client, event)) });
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
async function toChange(client: Client, event: HistoryEvent): Promise<Partial<ActivityState>> {
  const started = event.activityTaskStartedEventAttributes;
  if (started) {
    const { attempt, lastFailure } = started;
    return { attemptsMade: attempt ?? 1, ...(lastFailure && { lastFailure: await toFailure(client, lastFailure) }) };
  }
  if (event.activityTaskCancelRequestedEventAttributes) return { status: 'cancelling' };
  const completed = event.activityTaskCompletedEventAttributes;
  if (completed) return { status: 'completed', output: await toResult(client, completed.result) };
  const failed = event.activityTaskFailedEventAttributes ?? event.activityTaskTimedOutEventAttributes;
  if (failed?.failure) {
    const lastFailure = await toFailure(client, failed.failure);
    if (failed.retryState === RetryState.RETRY_STATE_CANCEL_REQUESTED) return { status: 'cancelled', lastFailure };
    return { status: 'failed', lastFailure, failure: { ...lastFailure, reason: toReason(failed.retryState) } };
  }
  // If an activity is cancelled between two attempts, the history lacks its attempts, so this 0 may be too low.
  const hasStarted = Number(event.activityTaskCanceledEventAttributes?.startedEventId ?? 0) > 0;
  return { status: 'cancelled', ...(!hasStarted && { attemptsMade: 0 }) };
}

/** Returns why Temporal made no further attempt. */
export function toReason(retryState: temporal.api.enums.v1.RetryState | null | undefined): FinalFailure['reason'] {
  if (retryState === RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED) return 'attempts-exhausted';
  return retryState === RetryState.RETRY_STATE_TIMEOUT ? 'timed-out' : 'non-retryable';
}
