import { ApplicationFailure, activityInfo } from '@temporalio/activity';
import { type FailureType, toRetryDelayMs } from '../policy.ts';

export type FailureFacts = { upstreamStatus?: number; retryAfterMs?: number; jitter?: number };

/**
 * The failure of this attempt, as Temporal wants it: a literal type (the retry policy in the history decides by it
 * whether another attempt follows), the upstream's status as detail, and, where Retry-After or jitter has a say, the
 * wait until the next attempt. The message reaches API clients: no address, path or version belongs in it.
 */
export function toAttemptFailure(type: FailureType, message: string, facts: FailureFacts = {}): ApplicationFailure {
  const { upstreamStatus, retryAfterMs, jitter } = facts;
  const wait = retryAfterMs || jitter ? toRetryDelayMs(currentBackoff(), activityInfo().attempt, facts) : null;
  return ApplicationFailure.create({
    type,
    message,
    details: upstreamStatus === undefined ? [] : [{ upstreamStatus }],
    ...(wait !== null && { nextRetryDelay: wait }),
  });
}

/** The backoff this attempt runs under, as the server handed it over with the task. */
export function currentBackoff() {
  const { retryPolicy } = activityInfo();
  return {
    initialIntervalMs: Number(retryPolicy?.initialInterval ?? 1_000),
    backoffCoefficient: retryPolicy?.backoffCoefficient ?? 2,
    maximumIntervalMs: Number(retryPolicy?.maximumInterval ?? 100_000),
    maximumAttempts: retryPolicy?.maximumAttempts || Number.POSITIVE_INFINITY,
  };
}
