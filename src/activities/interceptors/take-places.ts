import { activityInfo, cancellationSignal } from '@temporalio/activity';
import { toDeadlineMs } from '../../policy.ts';
import type { AttemptOptions } from '../../tasks.ts';
import { withAttempt, withDeadline } from '../attempt.ts';
import { toAttemptFailure, toCancellation } from '../failure.ts';
import { withHeartbeat } from '../heartbeat.ts';
import type { Places } from '../places.ts';

/**
 * Creates a worker interceptor that gives each single attempt a place. Slices may hold all places but one, so the
 * attempt may have to wait. The wait counts against the attempt's start-to-close timeout.
 */
export const takePlaces = (places: Places) => () => ({
  inbound: {
    async execute<I extends { args: unknown[] }, O>(input: I, next: (input: I) => Promise<O>): Promise<O> {
      const { startToCloseTimeoutMs } = activityInfo();
      const startedAt = performance.now();
      const release = await withDeadline(toDeadlineMs(startToCloseTimeoutMs), (signal) =>
        withHeartbeat(() => places.takeForSingle(signal)),
      );
      const leftMs = startToCloseTimeoutMs - (performance.now() - startedAt);
      if (!release || toDeadlineMs(leftMs) <= 0) {
        release?.();
        const { jitter = 0 } = (input.args[1] ?? {}) as Partial<AttemptOptions>;
        if (cancellationSignal().aborted) throw toCancellation(jitter);
        throw toAttemptFailure('UpstreamTimeout', 'The call did not begin before the deadline of the attempt', {
          jitter,
        });
      }
      try {
        return await withAttempt({ startToCloseTimeoutMs: leftMs }, () => next(input));
      } finally {
        release();
      }
    },
  },
});
