import { ApplicationFailure, activityInfo, CancelledFailure, cancellationDetails } from '@temporalio/activity';
import { type FailureType, toRetryDelayMs } from '../policy.ts';
import { toRetryAfterMs, toTimeMs } from './retry-after.ts';

export type FailureFacts = { upstreamStatus?: number; retryAfterMs?: number | undefined; jitter?: number | undefined };

/**
 * Returns the error with which this attempt fails.
 *
 * The error's type decides whether another attempt follows. The error's details contain the upstream's status, if the
 * upstream answered. The error sets the delay before the next attempt only if Retry-After or jitter changes that delay.
 * API clients see the message, so keep addresses, paths and versions out of it.
 */
export function toAttemptFailure(type: FailureType, message: string, facts: FailureFacts = {}): ApplicationFailure {
  const { upstreamStatus, retryAfterMs, jitter } = facts;
  const delayMs = retryAfterMs || jitter ? toRetryDelayMs(currentBackoff(), activityInfo().attempt, facts) : null;
  return ApplicationFailure.create({
    type,
    message,
    details: upstreamStatus === undefined ? [] : [{ upstreamStatus }],
    ...(delayMs !== null && { nextRetryDelay: delayMs }),
  });
}

/** Returns the failure for a 200 answer that cannot be used. `jitter` is only for types that are retried. */
export const toAnswerFailure = (type: FailureType, message: string, jitter?: number) =>
  toAttemptFailure(type, message, { upstreamStatus: 200, jitter });

/** Returns the error of an attempt whose cancellation signal has aborted. */
export const toCancellation = (jitter: number) =>
  cancellationDetails()?.workerShutdown
    ? toAttemptFailure('WorkerShutdown', 'The worker stopped before the attempt ended', { jitter })
    : new CancelledFailure('The task was cancelled');

type Headers = Record<string, string | string[] | undefined>;

/** Returns the failure for an HTTP status other than 200. */
export function toStatusFailure(status: number, headers: Headers, jitter: number): ApplicationFailure {
  return toAttemptFailure(toStatusFailureType(status), `HTTP ${status}`, {
    upstreamStatus: status,
    // A date in Retry-After is by the upstream's clock. The answer's Date header shows the time of that clock.
    retryAfterMs: toRetryAfterMs(headers['retry-after']?.toString(), toTimeMs(headers.date?.toString())),
    jitter,
  });
}

/** 408 and 425 are client errors that can pass by themselves. All other 4xx, except 429, are final. */
function toStatusFailureType(status: number): FailureType {
  if (status === 429) return 'UpstreamRateLimited';
  if (status >= 500 || status === 408 || status === 425) return 'UpstreamUnavailable';
  return status >= 300 && status < 400 && status !== 304 ? 'UpstreamRedirected' : 'UpstreamRejected';
}

/** Returns the backoff of this attempt, as the server sent it with the activity task. */
export function currentBackoff() {
  const { retryPolicy } = activityInfo();
  return {
    initialIntervalMs: Number(retryPolicy?.initialInterval ?? 1_000),
    backoffCoefficient: retryPolicy?.backoffCoefficient ?? 2,
    maximumIntervalMs: Number(retryPolicy?.maximumInterval ?? 100_000),
    maximumAttempts: retryPolicy?.maximumAttempts || Number.POSITIVE_INFINITY,
  };
}
