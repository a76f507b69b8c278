import type { ItemOutcome } from '../../contract.ts';

/** Failures that say that the upstream is down or has too much to do. */
const upstreamFailures = ['UpstreamUnavailable', 'UpstreamRateLimited', 'UpstreamUnreachable', 'UpstreamTimeout'];

/** After this number of such failures in a row, an upstream that has answered no call of the slice seems to be down. */
const failuresWithoutAnswer = 3;

/**
 * After this number, an upstream that has answered a call of the slice seems to be down. If one call in five fails by
 * chance, eight failures in a row come in one of 1,000 slices of 500 items. Three in a row would come in most of them.
 */
const failuresAfterAnswer = 8;

/**
 * Decides how many calls a slice may make at once. A slice begins with one. Each answer allows one more, and each
 * failure one fewer, so that few calls begin while the upstream goes down. `widen` doubles the number, because a slow
 * upstream that does not fail is not down. If a failure has no wait, because no attempt follows it, `policyWaitMs`
 * counts instead.
 */
export function createUpstreamHealth(policyWaitMs: number) {
  let width = 1;
  let failuresInARow = 0;
  let hasAnswered = false;
  let longestWaitMs = 0;
  const isDown = () => failuresInARow >= (hasAnswered ? failuresAfterAnswer : failuresWithoutAnswer);
  return {
    readWidth: () => width,
    /** Allows twice as many calls, unless the upstream has just failed. */
    widen(): void {
      if (failuresInARow === 0) width *= 2;
    },
    /** Returns for how many milliseconds no slice should begin, or `undefined` if the upstream does not seem down. */
    readHoldMs: () => (isDown() ? longestWaitMs : undefined),
    observe(outcome: ItemOutcome): void {
      if ('cancelled' in outcome) return;
      if ('failure' in outcome && upstreamFailures.includes(outcome.failure.type)) {
        failuresInARow += 1;
        width = Math.max(1, width - 1);
        longestWaitMs = Math.max(longestWaitMs, 'waitMs' in outcome ? outcome.waitMs : policyWaitMs);
      } else if (!isDown()) {
        hasAnswered = true;
        failuresInARow = 0;
        longestWaitMs = 0;
        width += 1;
      }
    },
  };
}
