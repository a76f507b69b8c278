import type { Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { PendingActivityState, toEpochMs, toFailure } from '../payloads.ts';
import type { ActivityState, Paused } from './task-state.ts';

export type PendingActivity = temporal.api.workflow.v1.IPendingActivityInfo;

const {
  PENDING_ACTIVITY_STATE_SCHEDULED: SCHEDULED,
  PENDING_ACTIVITY_STATE_PAUSED: PAUSED,
  PENDING_ACTIVITY_STATE_CANCEL_REQUESTED: CANCEL_REQUESTED,
} = PendingActivityState;

/**
 * Returns the attempt number that a task shows, from 1. While the activity waits for an attempt, this is the
 * number of that attempt, otherwise the number of the latest attempt.
 */
export const toShownAttempt = ({ status, attemptsMade }: Pick<ActivityState, 'status' | 'attemptsMade'>) =>
  status === 'queued' || status === 'retrying' ? attemptsMade + 1 : Math.max(1, attemptsMade);

/** Shown if there is no limit, which Temporal stores as 0. An operator can remove the limit of an open task. */
const unlimitedAttempts = 2 ** 31 - 1;

/** Returns the maximum number of attempts of an activity that has not ended. */
export const toMaxAttempts = ({ maximumAttempts }: PendingActivity) => maximumAttempts || unlimitedAttempts;

/**
 * Returns the status and attempts of an activity that has not ended. While the activity waits for an attempt,
 * Temporal's `attempt` is already the number of that attempt. A paused activity has no next attempt until an operator
 * resumes it.
 */
export function toProgress({ attempt, state, nextAttemptScheduleTime }: PendingActivity) {
  const isWaiting = state === SCHEDULED || state === PAUSED;
  const attemptsMade = (attempt ?? 1) - (isWaiting ? 1 : 0);
  if (!isWaiting) return { status: state === CANCEL_REQUESTED ? 'cancelling' : 'running', attemptsMade } as const;
  // Temporal returns this time only until its own clock reaches it. The clock of this host may differ.
  if (state === PAUSED || !nextAttemptScheduleTime) return { status: 'queued', attemptsMade } as const;
  const nextAttemptMs = toEpochMs(nextAttemptScheduleTime);
  return { status: 'retrying', attemptsMade, nextAttemptAt: new Date(nextAttemptMs).toISOString() } as const;
}

/** Returns the state of an activity that has not ended, as the description of its workflow shows it. */
export async function toPendingState(
  client: Client,
  activity: PendingActivity,
): Promise<Omit<ActivityState, 'output' | 'failure'>> {
  const { lastFailure, paused } = activity;
  return {
    ...toProgress(activity),
    // A cancellation ends a paused activity too.
    ...(paused && activity.state !== CANCEL_REQUESTED && { paused: toPaused(activity) }),
    ...(lastFailure && { lastFailure: await toFailure(client, lastFailure) }),
  };
}

/** Returns who paused an activity, when and why. A rule of the namespace can pause activities too. */
function toPaused({ pauseInfo }: PendingActivity): Paused {
  const { reason, identity } = pauseInfo?.manual ?? pauseInfo?.rule ?? {};
  return {
    ...(reason && { reason }),
    ...(identity && { by: identity }),
    ...(pauseInfo?.pauseTime && { since: new Date(toEpochMs(pauseInfo.pauseTime)).toISOString() }),
  };
}
