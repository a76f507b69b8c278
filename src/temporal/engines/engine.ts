import type { TaskArguments, TaskRecord } from '../../contract.ts';
import type { TaskName } from '../../tasks.ts';
import type { FoundTask, TaskState } from './task-state.ts';

/** A task to start. Its start delay is in milliseconds. */
export type TaskStart = { id: string; name: TaskName; task: TaskArguments; record: TaskRecord; startDelay?: number };

/** One way to run single tasks on Temporal. The callers of these functions need not know which. */
export type Engine = {
  /** Starts a task. Temporal refuses a second task with the same id (see `isAlreadyStarted`). */
  start(task: TaskStart): Promise<unknown>;
  /**
   * Reads a task. Needs no worker. Returns `undefined` if something has this id that the API did not start.
   * @throws an error for which `isNotFound` is true, if nothing has this id.
   */
  read(id: string, name: TaskName): Promise<FoundTask | undefined>;
  /** Like `read`, for a task that has just ended. Takes fewer RPCs. */
  readEnded(id: string, name: TaskName): Promise<FoundTask | undefined>;
  /**
   * Waits until a task has ended, but at most about 20 s. Returns whether it has ended. If an operator resets the task,
   * only one run of it ends, so read the task afterwards. Makes one RPC.
   * @throws {TemporalUnavailable} if Temporal does not answer, and when `signal` is aborted.
   */
  awaitEnd(id: string, signal: AbortSignal): Promise<boolean>;
  /** Requests the cancellation of an open task, whose state was just read. If the task has ended, does nothing. */
  cancel(id: string, state: Pick<TaskState, 'attemptsMade' | 'lastFailure'>): Promise<void>;
  /** Returns the path of the task's page in Temporal's Web UI, below the namespace. */
  toPagePath(id: string): string;
};
