import { setImmediate as tick } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Problem, toUnavailable } from '../../../src/api/problems/problem.ts';
import { createGate } from '../../../src/temporal/gate.ts';

/** Calls that end when the test says so; `began` is their order. */
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

const always = (limit: number) => ({ least: limit, most: limit, slowMs: 1_000 });

const slugOf = (error: unknown) => (error instanceof Problem ? error.slug : String(error));

test('no more calls than the limit run at once, and the others follow in the order they came', async () => {
  const { began, call, end } = createCalls();
  const pass = createGate(always(2));
  const answers = [1, 2, 3, 4].map((number) => pass(call(number)));
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

test('a lost call with nothing answered since it began ends all waiting, with nothing of it started', async () => {
  const { began, call, end } = createCalls();
  const pass = createGate(always(1));
  const lost = pass(call(1)).catch(slugOf);
  const waiting = [2, 3].map((number) => pass(call(number)).catch((error: Problem) => error));
  await tick();
  end(1).lose(toUnavailable('unknown'));
  expect(await lost).toBe('temporal-unavailable');
  for (const refused of await Promise.all(waiting)) {
    expect(refused).toMatchObject({ slug: 'temporal-unavailable', outcome: 'not-started' });
  }
  expect(began).toEqual([1]);
  // The gate is whole: the next call goes at once.
  const next = pass(call(4));
  await tick();
  end(4).answer();
  expect(await next).toBe(4);
});

test('a lost call does not end the waiting while others are answered', async () => {
  const { call, end } = createCalls();
  const pass = createGate(always(2));
  const lost = pass(call(1)).catch(slugOf);
  const answered = pass(call(2));
  const third = pass(call(3));
  const fourth = pass(call(4));
  await tick();
  end(2).answer();
  await answered;
  await tick();
  end(1).lose(toUnavailable('unknown'));
  expect(await lost).toBe('temporal-unavailable');
  await tick();
  end(3).answer();
  end(4).answer();
  expect(await Promise.all([third, fourth])).toEqual([3, 4]);
});

test('a refusal that is no absence counts as an answer: the waiting goes on', async () => {
  const { call, end } = createCalls();
  const pass = createGate(always(1));
  const refused = pass(call(1)).catch(slugOf);
  const second = pass(call(2));
  await tick();
  end(1).lose(new Problem('not-found', 'There is no task of this id'));
  expect(await refused).toBe('not-found');
  await tick();
  end(2).answer();
  expect(await second).toBe(2);
});

test('quick answers let more calls go at once, up to the most; slow ones fewer, down to the least', async () => {
  const { began, call, end } = createCalls();
  const pass = createGate({ least: 2, most: 4, slowMs: 50 });
  const runningAfter = async (ended: number) => {
    await tick();
    return began.length - ended;
  };
  const answers = Array.from({ length: 400 }, (_, index) => pass(call(index + 1)));
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
  // From here on each of them has run longer than is quick.
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

// Seen to fail, with 2 s, while lost calls that began before the last answer handed their turns on with a fresh deadline.
test('when a server falls silent under a crowd, all are refused by the time the first call is lost', async () => {
  const deadlineMs = 1_000;
  const pass = createGate(always(8));
  const silentFrom = performance.now() + 100;
  const isSilent = () => performance.now() >= silentFrom;
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const call = async (silentMs: number) => {
    const began = performance.now();
    await wait(10);
    if (!isSilent()) return;
    await wait(deadlineMs - silentMs - (performance.now() - began));
    throw toUnavailable('unknown');
  };
  const lostAfterMs: number[] = [];
  const lose = () => lostAfterMs.push(performance.now() - silentFrom);
  await Promise.all(Array.from({ length: 300 }, () => pass(call).catch(lose)));
  expect(lostAfterMs.length).toBeGreaterThan(100);
  expect(Math.max(...lostAfterMs)).toBeLessThan(1.5 * deadlineMs);
});
