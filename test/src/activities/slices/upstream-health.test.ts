import { expect, test } from 'vitest';
import { createUpstreamHealth } from '../../../../src/activities/slices/upstream-health.ts';
import type { ItemOutcome } from '../../../../src/contract.ts';

const failure = { type: 'UpstreamUnavailable', message: 'HTTP 503' };

/**
 * Makes the calls of a slice of 500 items, as many at once as its health allows. `fails` says of the call with this
 * number whether it fails. Returns how many calls began, and for how long no slice should begin.
 */
function runSlice(fails: (call: number) => boolean, size = 500) {
  const health = createUpstreamHealth(2_000);
  const running: number[] = [];
  let begun = 0;
  const begin = () => {
    while (begun < size && running.length < health.readWidth() && health.readHoldMs() === undefined)
      running.push(begun++);
  };
  for (begin(); running.length > 0; begin()) {
    const index = running.shift() as number;
    const outcome: ItemOutcome = fails(index) ? { index, failure, waitMs: 2_000 } : { index, output: {} };
    health.observe(outcome);
  }
  return { begun, holdMs: health.readHoldMs() };
}

/** Returns numbers from 0 to 1 that are the same in each run (Lehmer's generator). */
function createRandom(seed = 1) {
  let state = seed;
  return () => {
    state = (state * 16_807) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

const toHeld = (rate: number, slices: number) => {
  const random = createRandom();
  return Array.from({ length: slices }, () => runSlice(() => random() < rate)).filter(({ holdMs }) => holdMs).length;
};

test('an upstream that is down gets three calls of a slice', () => {
  expect(runSlice(() => true)).toEqual({ begun: 3, holdMs: 2_000 });
});

// Seen to fail when a failure did not lower the number of calls at once.
test('an upstream that goes down gets the calls that run, and few more', () => {
  const { begun, holdMs } = runSlice((call) => call >= 20);
  expect(holdMs).toBe(2_000);
  expect(begun).toBeLessThanOrEqual(20 + 20 + 1);
  expect(runSlice((call) => call >= 2)).toEqual({ begun: 10, holdMs: 2_000 });
});

// The chance that the first three calls fail is 0.8 %. Seen to fail when each three failures in a row held the slice.
test('an upstream that fails one call in five by chance holds one slice of 100, and never in the middle', () => {
  const slices = 20_000;
  expect(toHeld(0.2, slices) / slices).toBeLessThan(0.012);
});

test('an upstream that fails nine calls in ten holds nearly every slice', () => {
  expect(toHeld(0.9, 200)).toBeGreaterThan(195);
});
