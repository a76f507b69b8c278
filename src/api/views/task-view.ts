import type { Config } from '../../config/config.ts';
import type { TaskRecord } from '../../contract.ts';
import type { TaskName } from '../../tasks.ts';
import type { Engine } from '../../temporal/engines/engine.ts';
import type { FoundTask } from '../../temporal/engines/task-state.ts';
import { orNotFound, toNoTaskProblem } from '../problems/problem.ts';
import type { Task } from './schemas.ts';

type ReadTask = { task: Task; record: TaskRecord; attemptsMade: number };

/** Creates the functions that read and cancel tasks. */
export function createTaskView(
  engine: Pick<Engine, 'read' | 'readEnded' | 'cancel' | 'toPagePath'>,
  { embedded, temporal: { namespace } }: Config,
) {
  const toLinks = (id: string, isOpen: boolean, page = engine.toPagePath(id)): Task['links'] => ({
    self: `/tasks/${id}`,
    ...(isOpen && { cancel: `/tasks/${id}/cancel`, events: `/tasks/${id}/events` }),
    ...(embedded && {
      temporal: `http://127.0.0.1:${embedded.uiPort}/namespaces/${namespace}/${page}`,
    }),
  });

  const toSubmitted = (
    id: string,
    name: TaskName,
    { input, maxAttempts, submittedAt, rerunOf }: TaskRecord,
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

  const toRead = (id: string, name: TaskName, found: FoundTask | undefined): ReadTask => {
    if (!found) throw toNoTaskProblem();
    const { attemptsMade, ...state } = found.state;
    const task = {
      ...toSubmitted(id, name, found.record),
      ...state,
      links: toLinks(id, !state.finishedAt, found.page),
    };
    return { record: found.record, attemptsMade, task: toLimited(task as Task) };
  };

  /** Reads a task together with its record and the number of attempts that have begun. @throws {Problem} `not-found` */
  const readWithRecord = async (id: string, name: TaskName) =>
    toRead(id, name, await orNotFound(engine.read(id, name), toNoTaskProblem));

  const readTask = async (id: string, name: TaskName): Promise<Task> => (await readWithRecord(id, name)).task;

  /** Like `readTask`, for a task that has just ended. Takes fewer RPCs. @throws {Problem} `not-found` */
  const readEnded = async (id: string, name: TaskName): Promise<Task> =>
    toRead(id, name, await orNotFound(engine.readEnded(id, name), toNoTaskProblem)).task;

  /** Requests the cancellation of a task unless it has ended. Returns the task. @throws {Problem} `not-found` */
  const cancelTask = async (id: string, name: TaskName): Promise<Task> => {
    const { task, attemptsMade } = await readWithRecord(id, name);
    // If the task ends after this check, Temporal accepts the cancellation and does nothing.
    if (task.finishedAt) return task;
    await orNotFound(engine.cancel(id, { attemptsMade, lastFailure: task.lastFailure }), toNoTaskProblem);
    return readTask(id, name);
  };

  return { toSubmitted, readTask, readEnded, readWithRecord, cancelTask };
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
