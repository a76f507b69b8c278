import type { ItemOutcome } from '../../contract.ts';

/** Failures that say that the upstream is down or has too much to do. */
const upstreamFailures = ['UpstreamUnavailable', 'UpstreamRateLimited', 'UpstreamUnreachable', 'UpstreamTimeout'];

/** After this number of such failures in a row, the upstream looks down. */
const maximumFailures = 3;

/**
 * Says how many calls a slice may make at once. A slice begins with one, and each answer allows one more. So does time
 * without a failure, because an upstream that is slow is not down. `policyWaitMs` is the wait of a failure that has none,
 * because it was the only attempt.
 */
export function createUpstreamHealth(policyWaitMs: number) {
  let width = 1;
  let failuresInARow = 0;
  let longestWaitMs = 0;
  return {
    readWidth: () => width,
    /** Allows twice as many calls, unless the upstream has just failed. */
    widen(): void {
      if (failuresInARow === 0) width *= 2;
    },
    /** Returns how long no slice should begin, if the upstream looks down. */
    readHoldMs: () => (failuresInARow < maximumFailures ? undefined : longestWaitMs),
    observe(outcome: ItemOutcome): void {
      if ('cancelled' in outcome) return;
      if ('failure' in outcome && upstreamFailures.includes(outcome.failure.type)) {
        failuresInARow += 1;
        longestWaitMs = Math.max(longestWaitMs, 'waitMs' in outcome ? outcome.waitMs : policyWaitMs);
      } else if (failuresInARow < maximumFailures) {
        failuresInARow = 0;
        longestWaitMs = 0;
        width += 1;
      }
    },
  };
}
