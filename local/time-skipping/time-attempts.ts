import { activityInfo } from '@temporalio/activity';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { type Policy, toActivityOptions } from '../../src/policy.ts';

/** Of one attempt, by the server's clock. */
export type AttemptTimes = { startedAtMs: number; endedAtMs: number };

type Watched = { policy: Policy; times: AttemptTimes[]; instead: (() => Promise<never>) | undefined };

/** A worker interceptor that notes when each attempt of the `watched` workflows begins and ends. */
export const timeAttempts =
  (watched: Map<string, Watched>, nowMs: () => Promise<number>): ActivityInterceptorsFactory =>
  () => ({
    inbound: {
      async execute(input, next) {
        const task = watched.get(activityInfo().workflowExecution?.workflowId ?? '');
        if (!task) return await next(input);
        const times = { startedAtMs: await nowMs(), endedAtMs: Number.NaN };
        task.times.push(times);
        // The real server hands the policy over with each attempt, this one does not.
        Object.assign(activityInfo(), { retryPolicy: toActivityOptions(task.policy).retry });
        try {
          return task.instead ? await task.instead() : await next(input);
        } finally {
          times.endedAtMs = await nowMs();
        }
      },
    },
  });
