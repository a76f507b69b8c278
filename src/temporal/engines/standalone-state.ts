import type { Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { ActivityExecutionStatus, PendingActivityState, toEpochMs, toFailure, toResult } from '../payloads.ts';
import { toReason } from './activity-history.ts';
import { toMaxAttempts, toPendingState, toShownAttempt } from './activity-state.ts';
import { closedStatuses, type TaskState, terminated } from './task-state.ts';

type Description = temporal.api.workflowservice.v1.IDescribeActivityExecutionResponse;
type Info = temporal.api.activity.v1.IActivityExecutionInfo;

/** Returns the state of a standalone activity from its description, which has its outcome and latest failure. */
export async function toStandaloneState(client: Client, { info, outcome }: Description): Promise<TaskState> {
  const activity = info ?? {};
  const statusName = (ActivityExecutionStatus[activity.status ?? 0] ?? '')
    .replace('ACTIVITY_EXECUTION_STATUS_', '')
    .replace('CANCELED', 'CANCELLED');
  const status = closedStatuses[statusName];
  if (!status) return toOpenState(client, activity);
  const attemptsMade = toAttemptsMade(activity);
  const attempt = Math.max(1, attemptsMade);
  const maxAttempts = toMaxAttempts(activity.retryPolicy ?? {});
  const finishedAt = new Date(toEpochMs(activity.closeTime)).toISOString();
  const state = { status, attemptsMade, attempt, maxAttempts, finishedAt };
  const lastFailure = activity.lastFailure && { lastFailure: await toFailure(client, activity.lastFailure) };
  if (status === 'completed') return { ...state, ...lastFailure, output: await toResult(client, outcome?.result) };
  if (status === 'cancelled') return { ...state, ...lastFailure };
  if (statusName === 'TERMINATED' || !outcome?.failure) return { ...state, ...lastFailure, failure: terminated };
  const failure = await toFailure(client, outcome.failure);
  return { ...state, lastFailure: failure, failure: { ...failure, reason: toReason(outcome.retryState) } };
}

async function toOpenState(client: Client, info: Info): Promise<TaskState> {
  const { attempt, runState, nextAttemptScheduleTime, lastFailure, retryPolicy } = info;
  const { PENDING_ACTIVITY_STATE_PAUSED: PAUSED, PENDING_ACTIVITY_STATE_PAUSE_REQUESTED: PAUSING } =
    PendingActivityState;
  const paused = runState === PAUSED || runState === PAUSING;
  const activity = { attempt, state: runState, nextAttemptScheduleTime, lastFailure, paused, ...retryPolicy };
  const state = await toPendingState(client, activity);
  // Only a start delay makes a first attempt wait for a time.
  if (state.status === 'retrying' && state.attemptsMade === 0) return { status: 'scheduled', attemptsMade: 0 };
  return { ...state, attempt: toShownAttempt(state), maxAttempts: toMaxAttempts(activity) };
}

/**
 * Returns the number of attempts that have begun. If an activity is cancelled or terminated while it waits for its next
 * attempt, Temporal also counts that attempt.
 */
function toAttemptsMade({ attempt, status, lastStartedTime, lastAttemptCompleteTime }: Info): number {
  const { ACTIVITY_EXECUTION_STATUS_CANCELED: CANCELED, ACTIVITY_EXECUTION_STATUS_TERMINATED: TERMINATED } =
    ActivityExecutionStatus;
  const hasOutcome = status !== CANCELED && status !== TERMINATED;
  const isRunning = toEpochMs(lastStartedTime) > toEpochMs(lastAttemptCompleteTime);
  return (attempt ?? 1) - (hasOutcome || isRunning ? 0 : 1);
}
