import type { TaskArguments, TaskRecord } from '../../contract.ts';
import type { TaskName } from '../../tasks.ts';
import type { ListedTask, ListRequest } from './list-tasks.ts';
import type { FoundTask, TaskState } from './task-state.ts';

/** A task to start. Its start delay is in milliseconds. */
export type TaskStart = { id: string; name: TaskName; task: TaskArguments; record: TaskRecord; startDelay?: number };

/** Runs single tasks on Temporal. Nothing outside this folder knows in which way. */
export type Engine = {
  /** Starts a task. Temporal refuses a second task with the same id (see `isAlreadyStarted`). */
  start(task: TaskStart): Promise<unknown>;
  /**
   * Reads a task. Needs no worker. Returns `undefined` if the API did not start what has this id.
   * @throws an error for which `isNotFound` is true, if nothing has this id.
   */
  read(id: string, name: TaskName): Promise<FoundTask | undefined>;
  /** Requests the cancellation of an open task, whose state was just read. If the task has ended, does nothing. */
  cancel(id: string, state: Pick<TaskState, 'attemptsMade' | 'lastFailure'>): Promise<void>;
  /** Lists a page of tasks. Returns `undefined` if the page token did not come from Temporal. */
  list(request: ListRequest): Promise<{ tasks: ListedTask[]; token: string } | undefined>;
  /** Returns the path of the task's page in Temporal's Web UI, below the namespace. */
  toPagePath(id: string): string;
};
