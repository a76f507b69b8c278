import type { ItemOutcome } from '../../contract.ts';

/** Failures that say that the upstream is down or has too much to do. */
const upstreamFailures = ['UpstreamUnavailable', 'UpstreamRateLimited', 'UpstreamUnreachable', 'UpstreamTimeout'];

/** After this number of such failures in a row, the upstream seems to be down. */
const maximumFailures = 3;

/**
 * Decides how many calls a slice may make at once. A slice begins with one, and each answer allows one more. `widen`
 * doubles the number, because a slow upstream that does not fail is not down. If a failure has no wait, because no
 * attempt follows it, `policyWaitMs` counts instead.
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
    /** Returns for how many milliseconds no slice should begin, or `undefined` if the upstream does not seem down. */
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
