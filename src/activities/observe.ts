import { ApplicationFailure, activityInfo, CancelledFailure, cancellationDetails, log } from '@temporalio/activity';
import { toWaitMs } from '../policy.ts';
import type { AttemptOptions } from '../tasks.ts';
import { currentBackoff } from './failure.ts';
import { toJobId } from './job-id.ts';

export type AttemptRecord = {
  task: string;
  /** `lost`: the server had given up the attempt before its call, so the worker made no call. */
  outcome: 'completed' | 'failed' | 'cancelled' | 'lost';
  failureType: string;
  seconds: number;
};

/** The failure type of an attempt that the server gave up. The server ignores the end of such an attempt. */
export const lostType = 'AttemptLost';

const job = () => `Job ${toJobId()}:`;

/** Logs the start of an attempt: "Job <id>: Fetching joke (attempt 1/5)". */
export function logAttempt(doing: string, { attemptsBefore = 0 }: AttemptOptions): void {
  const maximum = currentBackoff().maximumAttempts + attemptsBefore;
  log.info(`${job()} ${doing} (attempt ${activityInfo().attempt + attemptsBefore}/${maximum})`);
}

/**
 * Returns a worker interceptor that passes every ended attempt to `record`, and logs each attempt that does not
 * complete: "Job <id>: HTTP 503 on attempt 1, next in 2 s". The interceptor does not change outcomes.
 */
export const observeAttempts = (record: (attempt: AttemptRecord) => void) => () => ({
  inbound: {
    async execute<I extends { args: unknown[] }, O>(input: I, next: (input: I) => Promise<O>): Promise<O> {
      const started = performance.now();
      const { attemptsBefore = 0 } = (input.args[1] ?? {}) as Partial<AttemptOptions>;
      const finish = (outcome: AttemptRecord['outcome'], failureType = '') =>
        record({
          task: activityInfo().activityType,
          outcome,
          failureType,
          seconds: (performance.now() - started) / 1_000,
        });
      try {
        const output = await next(input);
        finish('completed');
        return output;
      } catch (error) {
        const interruption = toInterruption(error);
        if (interruption) {
          const { text, outcome, failureType } = interruption;
          log.info(`${job()} ${text} on attempt ${activityInfo().attempt + attemptsBefore}`);
          finish(outcome, failureType);
        } else {
          log.warn(`${job()} ${toFailureLine(error, attemptsBefore)}`);
          finish('failed', error instanceof ApplicationFailure ? (error.type ?? '') : 'UnexpectedError');
        }
        throw error;
      }
    },
  },
});

/**
 * Returns why an attempt ended before its call did, or undefined if its call ended. The failure types of a reset and a
 * pause are those of the SDK.
 */
function toInterruption(error: unknown) {
  if (error instanceof ApplicationFailure && error.type === lostType)
    return { text: 'given up by the server before its call', outcome: 'lost', failureType: lostType } as const;
  if (!(error instanceof CancelledFailure)) return undefined;
  const { reset = false, paused = false, cancelRequested = true } = cancellationDetails() ?? {};
  if (reset) return { text: 'reset by an operator', outcome: 'cancelled', failureType: 'ActivityReset' } as const;
  if (paused) return { text: 'paused by an operator', outcome: 'cancelled', failureType: 'ActivityPause' } as const;
  if (cancelRequested) return { text: 'cancelled', outcome: 'cancelled', failureType: '' } as const;
  return { text: 'given up by the server', outcome: 'failed', failureType: lostType } as const;
}

/** Line breaks and terminal escapes in an unexpected error's message become spaces, so a log entry is one line. */
const controls = /[\p{Cc}\u2028\u2029]+/gu;

function toFailureLine(error: unknown, attemptsBefore: number): string {
  const { attempt, retryPolicy } = activityInfo();
  const { message = String(error), type, nextRetryDelay } = error as Partial<ApplicationFailure>;
  const head = `${message.replace(controls, ' ')} on attempt ${attempt + attemptsBefore}`;
  if (type && retryPolicy?.nonRetryableErrorTypes?.includes(type)) return `${head}, ${type} is final`;
  const waitMs = toWaitMs(currentBackoff(), attempt);
  return waitMs === null
    ? `${head}, no attempt left`
    : `${head}, next in ${Number(nextRetryDelay ?? waitMs) / 1_000} s`;
}
