import { ApplicationFailure, activityInfo, CancelledFailure, cancellationDetails, log } from '@temporalio/activity';
import { toWaitMs } from '../policy.ts';
import { currentBackoff } from './failure.ts';
import { toJobId } from './job-id.ts';

export type AttemptRecord = {
  task: string;
  outcome: 'completed' | 'failed' | 'cancelled';
  failureType: string;
  seconds: number;
};

const job = () => `Job ${toJobId()}:`;

/** Logs the start of an attempt: "Job <id>: Fetching joke (attempt 1/5)". */
export function logAttempt(doing: string): void {
  log.info(`${job()} ${doing} (attempt ${activityInfo().attempt}/${currentBackoff().maximumAttempts})`);
}

/**
 * Returns a worker interceptor that passes every ended attempt to `record`, and logs each attempt that does not
 * complete: "Job <id>: HTTP 503 on attempt 1, next in 2 s". The interceptor does not change outcomes.
 */
export const observeAttempts = (record: (attempt: AttemptRecord) => void) => () => ({
  inbound: {
    async execute<I, O>(input: I, next: (input: I) => Promise<O>): Promise<O> {
      const started = performance.now();
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
        if (error instanceof CancelledFailure) {
          const isCancelled = cancellationDetails()?.cancelRequested ?? true;
          log.info(
            `${job()} ${isCancelled ? 'cancelled' : 'given up by the server'} on attempt ${activityInfo().attempt}`,
          );
          finish(isCancelled ? 'cancelled' : 'failed', isCancelled ? '' : 'AttemptLost');
        } else {
          log.warn(`${job()} ${toFailureLine(error)}`);
          finish('failed', error instanceof ApplicationFailure ? (error.type ?? '') : 'UnexpectedError');
        }
        throw error;
      }
    },
  },
});

/** Line breaks and terminal escapes in an unexpected error's message become spaces, so a log entry is one line. */
const controls = /[\p{Cc}\u2028\u2029]+/gu;

function toFailureLine(error: unknown): string {
  const { attempt, retryPolicy } = activityInfo();
  const { message = String(error), type, nextRetryDelay } = error as Partial<ApplicationFailure>;
  const head = `${message.replace(controls, ' ')} on attempt ${attempt}`;
  if (type && retryPolicy?.nonRetryableErrorTypes?.includes(type)) return `${head}, ${type} is final`;
  const waitMs = toWaitMs(currentBackoff(), attempt);
  return waitMs === null
    ? `${head}, no attempt left`
    : `${head}, next in ${Number(nextRetryDelay ?? waitMs) / 1_000} s`;
}
