import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { toMaxAttempts, toPendingState, toShownAttempt } from './activity-state.ts';
import { readHistory } from './history.ts';
import { readStuck } from './stuck.ts';
import type { TaskState } from './task-state.ts';

/**
 * The number of events in a task's history before its activity is scheduled. If the history has more events than these
 * and no activity is pending, the activity has ended.
 */
const eventsBeforeActivity = 4;

/** Returns the state of an open task. Needs no worker. Reads the history only if no activity is pending. */
export async function readOpen(client: Client, description: WorkflowExecutionDescription): Promise<TaskState> {
  const { raw, historyLength } = description;
  const state = { ...(await readActivity(client, description)), ...(await readStuck(client, description)) };
  if (raw.workflowExtendedInfo?.cancelRequested)
    return { ...state, status: 'cancelling', nextAttemptAt: undefined, paused: undefined };
  // Until the start delay is over, Temporal schedules no workflow task, so the history has only the start.
  return historyLength <= 1 ? { status: 'scheduled', attemptsMade: 0 } : state;
}

async function readActivity(client: Client, description: WorkflowExecutionDescription): Promise<TaskState> {
  const { raw, workflowId, runId, historyLength } = description;
  const [activity] = raw.pendingActivities ?? [];
  if (activity) {
    const state = await toPendingState(client, activity);
    const attempt = toShownAttempt(state);
    return { ...state, attempt, maxAttempts: toMaxAttempts(activity) };
  }
  if (historyLength <= eventsBeforeActivity) return { attemptsMade: 0 };
  const { isScheduled, state } = await readHistory(client, workflowId, runId);
  // A reset, a signal or the death of a worker adds events before the activity is scheduled.
  if (!isScheduled) return { attemptsMade: 0 };
  // The activity has ended, and the workflow waits for a worker. If the workflow has ended since it was described, the
  // next read of the task shows that.
  const { attempt, lastFailure } = state;
  return { status: 'running', attemptsMade: attempt, attempt, ...(lastFailure && { lastFailure }) };
}

/**
 * Returns the attempt and failure of a task that an operator terminated while its activity was pending. The attempts
 * are not in the history, but the description of the task's workflow still lists the activity as pending.
 */
export async function toAbandoned(client: Client, { raw }: WorkflowExecutionDescription): Promise<Partial<TaskState>> {
  const [activity] = raw.pendingActivities ?? [];
  if (!activity) return {};
  const { attemptsMade, lastFailure } = await toPendingState(client, activity);
  const attempt = Math.max(1, attemptsMade);
  return { attempt, maxAttempts: toMaxAttempts(activity), ...(lastFailure && { lastFailure }) };
}
