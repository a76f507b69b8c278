import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { Config } from '../../config/config.ts';
import type { TaskMemo } from '../../contract.ts';
import type { TaskName } from '../../tasks.ts';
import { orNotFound, toNoTaskProblem } from '../problems/problem.ts';
import { readHistory, toCancelReason } from './history.ts';
import { readOpen, toAbandoned } from './open-task.ts';
import type { Task } from './schemas.ts';

type TaskState = { task: Task; memo: TaskMemo; attemptsMade: number };

/** Maps Temporal's status of a closed execution to the status of its task or batch. */
export const closedStatuses: Record<string, 'completed' | 'failed' | 'cancelled'> = {
  COMPLETED: 'completed',
  FAILED: 'failed',
  TERMINATED: 'failed',
  TIMED_OUT: 'failed',
  CANCELLED: 'cancelled',
};

/** Creates the functions that read and cancel tasks. A read takes one RPC, or two if the task's activity has ended. */
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

  const readState = async (id: string, name: TaskName): Promise<TaskState> => {
    const description = await client.workflow.getHandle(id).describe();
    const memo = description.memo as TaskMemo | undefined;
    // Anyone with access to Temporal can start a workflow with this id, so require the type and memo that the API sets.
    if (description.type !== name || !memo?.submittedAt) throw toNoTaskProblem();
    const submitted = toSubmitted(id, name, memo);
    const status = closedStatuses[description.status.name];
    if (!status) {
      const { attemptsMade, ...state } = await readOpen(client, description);
      return { memo, attemptsMade, task: toLimited({ ...submitted, ...state }) };
    }
    const task = toLimited({
      ...submitted,
      status,
      ...((await readHistory(client, id, description.runId)).state as Partial<Task>),
      ...(await toAbandoned(client, description)),
      finishedAt: description.closeTime?.toISOString(),
      links: toLinks(id, false),
    });
    return { memo, attemptsMade: task.attempt, task };
  };

  /** Reads a task together with its memo and the number of attempts that have begun. @throws {Problem} `not-found` */
  const readWithMemo = (id: string, name: TaskName) => orNotFound(readState(id, name), toNoTaskProblem);

  const readTask = async (id: string, name: TaskName): Promise<Task> => (await readWithMemo(id, name)).task;

  /** Requests the cancellation of a task unless it has ended. Returns the task. @throws {Problem} `not-found` */
  const cancelTask = async (id: string, name: TaskName): Promise<Task> => {
    const { task, attemptsMade } = await readWithMemo(id, name);
    // If the task ends after this check, Temporal accepts the cancellation and does nothing.
    if (task.finishedAt) return task;
    const request = client.workflowService.requestCancelWorkflowExecution({
      namespace,
      identity: client.options.identity,
      requestId: randomUUID(),
      workflowExecution: { workflowId: id },
      reason: toCancelReason({ attemptsMade, lastFailure: task.lastFailure }),
    });
    await orNotFound(request, toNoTaskProblem);
    return readTask(id, name);
  };

  return { toSubmitted, readTask, readWithMemo, cancelTask };
}

export type TaskView = ReturnType<typeof createTaskView>;

/**
 * Returns the task with the maximum number of attempts that applied to it. An operator can change the maximum in
 * Temporal, and no history has that change. A task whose attempts are exhausted has reached its maximum.
 */
function toLimited(task: Task): Task {
  const { attempt, maxAttempts, failure } = task;
  const isExhausted = failure?.reason === 'attempts-exhausted';
  return { ...task, maxAttempts: isExhausted ? attempt : Math.max(maxAttempts, attempt) };
}
