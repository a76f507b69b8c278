import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createPollerCheck, embeddedSilentMs, pollerFreshMs } from '../../../../src/api/system/pollers.ts';

beforeEach(() => void vi.useFakeTimers({ now: 1_800_000_000_000 }));
afterEach(() => void vi.useRealTimers());

/** Creates a host whose clock is ahead of Temporal's by this many seconds. `isPolled` is what its `/ready` checks. */
function createHost({ clockAheadSeconds = 0, silentMs = pollerFreshMs }) {
  const isPolled = createPollerCheck({ silentMs });
  let accessMs: number | undefined;
  return {
    poll: () => {
      accessMs = Date.now() - 1_000 * clockAheadSeconds;
    },
    pass: (seconds: number) => vi.advanceTimersByTime(1_000 * seconds),
    isPolled: () => {
      const pollers =
        accessMs === undefined ? [] : [{ identity: 'worker', lastAccessTime: { seconds: accessMs / 1_000 } }];
      return isPolled(pollers as unknown as Parameters<typeof isPolled>[0]);
    },
  };
}

// Seen to fail when the API's clock decided: 80 s ahead, `/ready` was 503 for ever.
test.each([-3_600, -80, -60, 60, 80, 120, 3_600])(
  'a live worker counts as live, at the latest after its next poll, on a host whose clock is %i s ahead',
  (clockAheadSeconds) => {
    const { poll, pass, isPolled } = createHost({ clockAheadSeconds });
    poll();
    isPolled();
    for (let minute = 0; minute < 5; minute += 1) {
      pass(50);
      poll();
      pass(10);
      expect(isPolled()).toBe(true);
    }
  },
);

// Seen to fail when the API's clock decided: 60 s behind, a dead worker counted for 135 s.
test.each([-3_600, -60, 60, 3_600])(
  'a dead worker no longer counts 75 s after its last poll, on a host whose clock is %i s ahead',
  (clockAheadSeconds) => {
    const { poll, pass, isPolled } = createHost({ clockAheadSeconds });
    poll();
    isPolled();
    pass(10);
    poll();
    expect(isPolled()).toBe(true);
    pass(64);
    expect(isPolled()).toBe(true);
    pass(11);
    expect(isPolled()).toBe(false);
  },
);

test('a worker that starts after the first call is seen at once, whatever the clocks say', () => {
  const { poll, pass, isPolled } = createHost({ clockAheadSeconds: 3_600 });
  expect(isPolled()).toBe(false);
  pass(5);
  poll();
  expect(isPolled()).toBe(true);
});

test('with equal clocks, calls far apart do not make a dead worker look alive', () => {
  const { poll, pass, isPolled } = createHost({});
  poll();
  expect(isPolled()).toBe(true);
  pass(60);
  poll();
  pass(80);
  expect(isPolled()).toBe(false);
});

// Seen to fail: with a limit of 75 s after the end of its open poll, a frozen worker counted for 90 s.
test('on the embedded server, where polls end after 15 s, a frozen worker no longer counts 75 s after it froze', () => {
  const { poll, pass, isPolled } = createHost({ silentMs: embeddedSilentMs });
  poll();
  expect(isPolled()).toBe(true);
  pass(15);
  poll();
  expect(isPolled()).toBe(true);
  pass(59);
  expect(isPolled()).toBe(true);
  pass(1);
  expect(isPolled()).toBe(false);
});
