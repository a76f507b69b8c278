import { getEventListeners } from 'node:events';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, expect, test, vi } from 'vitest';
import { withDeadline } from '../../../src/activities/attempt.ts';

afterEach(() => {
  vi.useRealTimers();
});

/** Resolves with true when the signal aborts. */
const untilAborted = (signal: AbortSignal) =>
  new Promise<boolean>((resolve) => {
    if (signal.aborted) return resolve(true);
    signal.addEventListener('abort', () => resolve(true));
  });

test('work that ends before its deadline leaves no timer and no listener behind', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const environment = new MockActivityEnvironment();
  const countListeners = () => getEventListeners(environment.context.cancellationSignal, 'abort').length;
  const [timers, listeners] = [vi.getTimerCount(), countListeners()];
  await environment.run(() =>
    withDeadline(300_000, async () => {
      expect([vi.getTimerCount(), countListeners()]).toEqual([timers + 1, listeners + 1]);
    }),
  );
  expect([vi.getTimerCount(), countListeners()]).toEqual([timers, listeners]);
});

test('the signal aborts at the deadline, and when the attempt is cancelled', async () => {
  expect(await new MockActivityEnvironment().run(() => withDeadline(5, untilAborted))).toBe(true);
  const environment = new MockActivityEnvironment();
  const cancelled = environment.run(() => withDeadline(300_000, untilAborted));
  environment.cancel();
  expect(await cancelled).toBe(true);
  expect(await environment.run(() => withDeadline(300_000, untilAborted))).toBe(true);
});
