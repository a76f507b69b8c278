import type { TaskRecord } from '../../contract.ts';
import type { Failure } from '../payloads.ts';

/** The statuses of an item of a batch. A task can also be `scheduled`. */
export const activityStatuses = [
  'queued',
  'running',
  'retrying',
  'cancelling',
  'completed',
  'failed',
  'cancelled',
] as const;

/** The final failure of a task or batch item. */
export type FinalFailure = Failure & { reason: 'attempts-exhausted' | 'non-retryable' | 'timed-out' | 'terminated' };

/** Set while an operator has paused the activity in Temporal. */
export type Paused = { reason?: string; by?: string; since?: string };

/** Set while a workflow cannot go on. */
export type Stuck = { reason: string; since: string };

/** The failure of a task or batch item that an operator terminated. */
export const terminated: FinalFailure = {
  type: 'Terminated',
  message: 'The task was terminated by an operator',
  reason: 'terminated',
};

export type ClosedStatus = 'completed' | 'failed' | 'cancelled';

/** Maps Temporal's status of a closed execution to the status of its task or batch. */
export const closedStatuses: Record<string, ClosedStatus> = {
  COMPLETED: 'completed',
  FAILED: 'failed',
  TERMINATED: 'failed',
  TIMED_OUT: 'failed',
  CANCELLED: 'cancelled',
};

/** The state of an activity. A task has one activity, and so has each item of a batch. */
export type ActivityState = {
  status: (typeof activityStatuses)[number];
  /** The number of attempts that have begun, including a running one. */
  attemptsMade: number;
  /** The start of the next attempt, as ISO 8601. Set only while `retrying`. */
  nextAttemptAt?: string;
  /** Set while an operator has paused the activity. A running attempt ends with its next heartbeat. */
  paused?: Paused;
  /** Set for a batch item whose chunk cannot go on. */
  stuck?: Stuck;
  lastFailure?: Failure;
  output?: unknown;
  failure?: FinalFailure;
};

/**
 * The state of a task. If a field is missing, the task has the value of its submission: `status` is `queued`, `attempt`
 * is 1, and `maxAttempts` is as recorded.
 */
export type TaskState = { attemptsMade: number } & Partial<{
  status: 'scheduled' | ActivityState['status'];
  attempt: number;
  maxAttempts: number;
  nextAttemptAt: string | undefined;
  paused: Paused | undefined;
  stuck: Stuck;
  lastFailure: Failure;
  output: unknown;
  failure: FinalFailure;
  finishedAt: string | undefined;
}>;

/** A task as an engine reads it. `page` is the path of its page in Temporal's Web UI, set if only a read knows it. */
export type FoundTask = { record: TaskRecord; state: TaskState; page?: string };
