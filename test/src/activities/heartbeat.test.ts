import { AsyncLocalStorage } from 'node:async_hooks';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { withHeartbeat } from '../../../src/activities/heartbeat.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: 0 });
});
afterEach(() => {
  vi.useRealTimers();
});

/**
 * Starts an attempt that lasts until `end` or `fail`. `beats` collects the times of its heartbeats in milliseconds.
 * `pass` advances the time within the activity's context, because fake timers do not pass it on to their callbacks.
 */
async function startAttempt(heartbeatTimeoutMs: number | undefined) {
  const environment = new MockActivityEnvironment({ heartbeatTimeoutMs }, { logger: new DefaultLogger('ERROR') });
  const beats: number[] = [];
  environment.on('heartbeat', () => beats.push(Date.now()));
  let inContext = AsyncLocalStorage.snapshot();
  let end = () => {};
  let fail = () => {};
  const work = new Promise<string>((resolve, reject) => {
    end = () => resolve('done');
    fail = () => reject(new Error('broken'));
  });
  let begin = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const result: Promise<string> = environment.run(() => {
    inContext = AsyncLocalStorage.snapshot();
    const running = withHeartbeat(() => work);
    begin();
    return running;
  });
  await begun;
  result.catch(() => {});
  const pass = (ms: number) => inContext(() => vi.advanceTimersByTimeAsync(ms));
  return { beats, result, pass, end, fail };
}

describe('a running attempt', () => {
  // Seen to fail with the first beat after a third, with a beat every half, and when no next timer was set.
  it('beats first after one second, then every third of a heartbeat timeout of 9 s', async () => {
    const { beats, result, pass, end } = await startAttempt(9_000);
    await pass(10_000);
    expect(beats).toEqual([1_000, 4_000, 7_000, 10_000]);
    end();
    await expect(result).resolves.toBe('done');
  });

  it('beats first after a third of the timeout if that is less than a second', async () => {
    const { beats, result, pass, end } = await startAttempt(1_500);
    await pass(2_000);
    expect(beats).toEqual([500, 1_000, 1_500, 2_000]);
    end();
    await expect(result).resolves.toBe('done');
  });

  it('never leaves the server without a beat for more than a third of the timeout', async () => {
    for (const timeoutMs of [50, 300, 1_000, 3_000, 10_000, 60_000]) {
      const { beats, pass, end } = await startAttempt(timeoutMs);
      const begun = Date.now();
      await pass(timeoutMs * 3);
      const gaps = beats.map((at, index) => at - (beats[index - 1] ?? begun));
      expect(gaps.length).toBeGreaterThanOrEqual(8);
      expect(Math.max(...gaps)).toBeLessThanOrEqual(timeoutMs / 3 + 1);
      end();
    }
  });

  it('sends no beat when it ends within the first second', async () => {
    const { beats, result, pass, end } = await startAttempt(10_000);
    await pass(999);
    end();
    await result;
    await pass(60_000);
    expect(beats).toEqual([]);
  });

  it('does not beat without a heartbeat timeout', async () => {
    const { beats, result, pass, end } = await startAttempt(undefined);
    await pass(60_000);
    expect(beats).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
    end();
    await expect(result).resolves.toBe('done');
  });
});

describe('an attempt that ended', () => {
  // Seen to fail without clearTimeout.
  it.each(['end', 'fail'] as const)('stops beating and leaves no timer behind (%s)', async (way) => {
    const attempt = await startAttempt(3_000);
    await attempt.pass(2_500);
    expect(attempt.beats).toEqual([1_000, 2_000]);
    attempt[way]();
    await attempt.result.catch(() => {});
    expect(vi.getTimerCount()).toBe(0);
    await attempt.pass(60_000);
    expect(attempt.beats).toHaveLength(2);
  });

  it('passes on the result or error of its work', async () => {
    const [good, bad] = [await startAttempt(3_000), await startAttempt(3_000)];
    good.end();
    bad.fail();
    await expect(good.result).resolves.toBe('done');
    await expect(bad.result).rejects.toThrow('broken');
  });
});
