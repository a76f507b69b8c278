import { activityInfo } from '@temporalio/activity';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { Environment } from '../../src/config/config.ts';
import { type Policy, toActivityOptions } from '../../src/policy.ts';
import type { TaskOutput } from '../../src/tasks.ts';
import type { Behaviour } from '../joke-api/behaviour.ts';
import type { LedgerEntry, Span } from '../joke-api/ledger.ts';

/** One task to run, and how its upstream behaves. */
export type Trial = {
  /** Variables that differ from Holdfast's defaults, for example `{ MAX_ATTEMPTS: '3' }`. */
  variables?: Environment;
  /** One behaviour for each call, in order. Later calls get a good answer or, with `repeat`, the last behaviour. */
  behaviours?: Behaviour[];
  repeat?: boolean;
  /** What each attempt does instead of the real activity. */
  instead?: () => Promise<never>;
};

/** How a task ended, and what happened until then. */
export type Finished = {
  output: TaskOutput<'fetch-joke'> | undefined;
  failure: RootCause | undefined;
  /** When each attempt started and ended, by the server's clock. */
  attempts: Span[];
  /** Seconds from the end of each attempt to the start of the next, by the server's clock. */
  waits: number[];
  calls: LedgerEntry[];
};

export type Watched = { policy: Policy; times: Span[]; instead: Trial['instead'] };

/** Returns a worker interceptor that records when each attempt of the `watched` workflows starts and ends. */
export const timeAttempts =
  (watched: Map<string, Watched>, nowMs: () => Promise<number>): ActivityInterceptorsFactory =>
  () => ({
    inbound: {
      async execute(input, next) {
        const task = watched.get(activityInfo().workflowExecution?.workflowId ?? '');
        if (!task) return await next(input);
        const times: Span = { startedAt: await nowMs(), endedAt: null };
        task.times.push(times);
        // The real server sends the retry policy with each attempt. The time-skipping server does not, so add it here.
        Object.assign(activityInfo(), { retryPolicy: toActivityOptions(task.policy).retry });
        try {
          return task.instead ? await task.instead() : await next(input);
        } finally {
          times.endedAt = await nowMs();
        }
      },
    },
  });

type Cause = { cause?: Cause; retryState?: string; type?: string; timeoutType?: string; name?: string };

export type RootCause = { type: string | undefined; retryState?: string };

/**
 * Returns the type of the innermost cause of a failed workflow (WorkflowFailedError > ActivityFailure > cause), and
 * the `retryState`, which says why no further attempt followed.
 */
export function toRootCause(error: Cause): RootCause {
  const type = error.type ?? error.timeoutType ?? error.name;
  const root = error.cause && !error.timeoutType ? toRootCause(error.cause) : { type };
  return error.retryState ? { ...root, retryState: error.retryState } : root;
}
