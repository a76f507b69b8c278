import { setImmediate as tick } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createAdaptiveLimit } from '../../../src/temporal/adaptive-limit.ts';
import { TemporalUnavailable } from '../../../src/temporal/errors.ts';

/** Creates calls that end when the test ends them. `began` has their order. */
function createCalls() {
  const began: number[] = [];
  const ends = new Map<number, { answer: () => void; lose: (error: unknown) => void }>();
  const call = (number: number) => () =>
    new Promise<number>((resolve, reject) => {
      began.push(number);
      ends.set(number, { answer: () => resolve(number), lose: reject });
    });
  const end = (number: number) => ends.get(number) ?? expect.fail(`call ${number} never began`);
  return { began, call, end };
}

const always = (limit: number) => ({ minimum: limit, maximum: limit, slowMs: 1_000 });

const nameOf = (error: Error) => error.name;

test('at most as many calls as the limit run at once, and the others start in the order of arrival', async () => {
  const { began, call, end } = createCalls();
  const run = createAdaptiveLimit(always(2));
  const answers = [1, 2, 3, 4].map((number) => run(call(number)));
  await tick();
  expect(began).toEqual([1, 2]);
  end(2).answer();
  await answers[1];
  await tick();
  expect(began).toEqual([1, 2, 3]);
  end(1).answer();
  end(3).answer();
  await Promise.all([answers[0], answers[2]]);
  await tick();
  expect(began).toEqual([1, 2, 3, 4]);
  end(4).answer();
  expect(await Promise.all(answers)).toEqual([1, 2, 3, 4]);
});

test('a lost call ends all waiting calls, which were never started, if nothing was answered since it began', async () => {
  const { began, call, end } = createCalls();
  const run = createAdaptiveLimit(always(1));
  const lost = run(call(1)).catch(nameOf);
  const waiting = [2, 3].map((number) => run(call(number)).catch((error: unknown) => error));
  await tick();
  end(1).lose(new TemporalUnavailable('unknown'));
  expect(await lost).toBe('TemporalUnavailable');
  for (const refused of await Promise.all(waiting)) {
    expect(refused).toMatchObject({ name: 'TemporalUnavailable', outcome: 'not-started' });
  }
  expect(began).toEqual([1]);
  // The limit still works, so the next call starts at once.
  const next = run(call(4));
  await tick();
  end(4).answer();
  expect(await next).toBe(4);
});

test('a lost call does not end waiting calls while others are answered', async () => {
  const { call, end } = createCalls();
  const run = createAdaptiveLimit(always(2));
  const lost = run(call(1)).catch(nameOf);
  const answered = run(call(2));
  const third = run(call(3));
  const fourth = run(call(4));
  await tick();
  end(2).answer();
  await answered;
  await tick();
  end(1).lose(new TemporalUnavailable('unknown'));
  expect(await lost).toBe('TemporalUnavailable');
  await tick();
  end(3).answer();
  end(4).answer();
  expect(await Promise.all([third, fourth])).toEqual([3, 4]);
});

test('an error that Temporal answered counts as an answer: waiting calls stay', async () => {
  const { call, end } = createCalls();
  const run = createAdaptiveLimit(always(1));
  const refused = run(call(1)).catch(nameOf);
  const second = run(call(2));
  await tick();
  end(1).lose(new RangeError('There is no task of this id'));
  expect(await refused).toBe('RangeError');
  await tick();
  end(2).answer();
  expect(await second).toBe(2);
});

test('fast answers raise the limit up to its maximum, slow ones lower it down to its minimum', async () => {
  const { began, call, end } = createCalls();
  const run = createAdaptiveLimit({ minimum: 2, maximum: 4, slowMs: 50 });
  const runningAfter = async (ended: number) => {
    await tick();
    return began.length - ended;
  };
  const answers = Array.from({ length: 400 }, (_, index) => run(call(index + 1)));
  let ended = 0;
  const answerNext = async () => {
    ended += 1;
    end(ended).answer();
    await answers[ended - 1];
  };
  expect(await runningAfter(ended)).toBe(2);
  for (let count = 0; count < 40; count += 1) {
    await answerNext();
    await tick();
  }
  expect(await runningAfter(ended)).toBe(4);
  // From here on every call takes longer than `slowMs`.
  const clock = performance.now.bind(performance);
  let lateMs = 0;
  onTestFinished(() => void vi.restoreAllMocks());
  vi.spyOn(performance, 'now').mockImplementation(() => clock() + lateMs);
  for (let count = 0; count < 60; count += 1) {
    lateMs += 100;
    await answerNext();
    await tick();
  }
  expect(await runningAfter(ended)).toBe(2);
});

// Seen to fail, after 2 s, when a call that started after a lost one got a full deadline.
test('when a server falls silent under many calls, all have failed by the time the first one is lost', async () => {
  const deadlineMs = 1_000;
  const run = createAdaptiveLimit(always(8));
  const silentFrom = performance.now() + 100;
  const isSilent = () => performance.now() >= silentFrom;
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const call = async (silentMs: number) => {
    const began = performance.now();
    await wait(10);
    if (!isSilent()) return;
    await wait(deadlineMs - silentMs - (performance.now() - began));
    throw new TemporalUnavailable('unknown');
  };
  const lostAfterMs: number[] = [];
  const lose = () => lostAfterMs.push(performance.now() - silentFrom);
  await Promise.all(Array.from({ length: 300 }, () => run(call).catch(lose)));
  expect(lostAfterMs.length).toBeGreaterThan(100);
  expect(Math.max(...lostAfterMs)).toBeLessThan(1.5 * deadlineMs);
});
