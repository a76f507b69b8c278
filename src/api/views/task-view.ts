import { randomUUID } from 'node:crypto';
import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import type { Config } from '../../config/config.ts';
import type { TaskMemo } from '../../contract.ts';
import type { TaskName } from '../../tasks.ts';
import { PendingActivityState, toEpochMs, toFailure } from '../../temporal/client.ts';
import { toNoTaskProblem } from '../problems/problem.ts';
import { readHistory, toCancelReason } from './history.ts';
import type { Task } from './schemas.ts';

/** Events in a history before the activity was first scheduled; with more and none pending, it has come back. */
const eventsBeforeActivity = 4;

/** The finished statuses by Temporal's names of a closed execution. */
export const closedStatuses: Record<string, 'completed' | 'failed' | 'cancelled'> = {
  COMPLETED: 'completed',
  FAILED: 'failed',
  TERMINATED: 'failed',
  TIMED_OUT: 'failed',
  CANCELLED: 'cancelled',
};

/** Turns Temporal's descriptions into the API's `Task`, with one RPC for an open task and two for a finished one. */
export function createTaskView(client: Client, { embedded, temporal: { namespace } }: Config) {
  const toLinks = (id: string, isOpen: boolean): Task['links'] => ({
    self: `/tasks/${id}`,
    ...(isOpen && { cancel: `/tasks/${id}/cancel`, events: `/tasks/${id}/events` }),
    ...(embedded && { temporal: `http://127.0.0.1:${embedded.uiPort}/namespaces/${namespace}/workflows/${id}` }),
  });

  const toSubmitted = (
    id: string,
    name: TaskName,
    { input, maxAttempts, submittedAt, rerunOf }: TaskMemo,
    status: 'queued' | 'scheduled' = 'queued',
  ): Task => ({
    id,
    name,
    input,
    status,
    attempt: 1,
    maxAttempts,
    submittedAt,
    ...(rerunOf && { rerunOf }),
    links: toLinks(id, true),
  });

  /** The task, and what its start put into the memo. */
  const readWithMemo = async (id: string, name: TaskName): Promise<{ task: Task; memo: TaskMemo }> => {
    const description = await client.workflow.getHandle(id).describe();
    const memo = description.memo as TaskMemo | undefined;
    // Whoever has access to Temporal may start what he likes under an id of that form.
    if (description.type !== name || !memo?.submittedAt) throw toNoTaskProblem();
    const submitted = toSubmitted(id, name, memo);
    const status = closedStatuses[description.status.name];
    if (!status) return { memo, task: { ...submitted, ...(await readOpen(client, description)) } };
    const task: Task = {
      ...submitted,
      status,
      ...((await readHistory(client, id, description.runId)) as Partial<Task>),
      ...(await readAbandoned(client, description)),
      finishedAt: description.closeTime?.toISOString(),
      links: toLinks(id, false),
    };
    return { memo, task };
  };

  const readTask = async (id: string, name: TaskName): Promise<Task> => (await readWithMemo(id, name)).task;

  const cancelTask = (task: Task) =>
    client.workflowService.requestCancelWorkflowExecution({
      namespace,
      identity: client.options.identity,
      requestId: randomUUID(),
      workflowExecution: { workflowId: task.id },
      reason: toCancelReason(task),
    });

  return { toSubmitted, readTask, readWithMemo, cancelTask };
}

export type TaskView = ReturnType<typeof createTaskView>;

/** How far an open task is, from its description alone; the server keeps it also while every worker is dead. */
async function readOpen(client: Client, description: WorkflowExecutionDescription): Promise<Partial<Task>> {
  const { raw, workflowId, runId, historyLength } = description;
  const [activity] = raw.pendingActivities ?? [];
  const nextAttemptMs = toEpochMs(activity?.nextAttemptScheduleTime);
  const isCancelling = Boolean(raw.workflowExtendedInfo?.cancelRequested);
  const progress: Partial<Task> = activity
    ? {
        attempt: activity.attempt ?? 1,
        ...(activity.lastFailure && { lastFailure: await toFailure(client, activity.lastFailure) }),
      }
    : historyLength > eventsBeforeActivity
      ? await readReturned(client, workflowId, runId)
      : {};
  if (isCancelling) return { ...progress, status: 'cancelling' };
  if (isScheduled(description)) return { status: 'scheduled' };
  if (nextAttemptMs > Date.now()) {
    return { ...progress, status: 'retrying', nextAttemptAt: new Date(nextAttemptMs).toISOString() };
  }
  const isStarted = activity?.state === PendingActivityState.PENDING_ACTIVITY_STATE_STARTED;
  return isStarted ? { ...progress, status: 'running' } : progress;
}

/** An activity that has come back while its workflow waits for a worker; an end that came meanwhile is the next reader's. */
async function readReturned(client: Client, id: string, runId: string): Promise<Partial<Task>> {
  const { attempt, lastFailure } = await readHistory(client, id, runId);
  return { status: 'running', attempt, ...(lastFailure && { lastFailure }) };
}

/**
 * What a run that an operator ended leaves of its activity: the attempts made so far, for the coming one never comes.
 * Attempts write no history until they are over, but the description of such a run still has them pending.
 */
async function readAbandoned(client: Client, { raw }: WorkflowExecutionDescription): Promise<Partial<Task>> {
  const [activity] = raw.pendingActivities ?? [];
  if (!activity) return {};
  const { attempt, lastFailure, state } = activity;
  const isMade = state !== PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED;
  return {
    attempt: Math.max(1, (attempt ?? 1) - (isMade ? 0 : 1)),
    ...(lastFailure && { lastFailure: await toFailure(client, lastFailure) }),
  };
}

/** A start delay lies ahead: the execution time is in the future. */
const isScheduled = ({ executionTime }: Pick<WorkflowExecutionDescription, 'executionTime'>) =>
  executionTime !== undefined && executionTime.getTime() > Date.now();
