import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventually, type Holdfast, isFinished, startHoldfast } from '../support/holdfast.ts';
import { createOwnTemporal } from '../support/own-temporal.ts';
import { expectProblem } from '../support/problem.ts';

let temporal: Awaited<ReturnType<typeof createOwnTemporal>>;
let holdfast: Holdfast;
/** A task accepted before Temporal goes away, whose next attempt lies ahead. */
let accepted: string;

beforeAll(async () => {
  temporal = await createOwnTemporal();
  await temporal.start();
  holdfast = await startHoldfast({ TEMPORAL_ADDRESS: temporal.address, BASE_DELAY: '1' });
  await holdfast.startWorker();
  holdfast.jokes.rules.add({ when: { category: 'fails-twice' }, then: [{ status: 503 }, { status: 503 }, {}] });
}, 120_000);
afterAll(async () => {
  await holdfast?.stop();
  await temporal.remove();
}, 120_000);

beforeEach(async () => {
  const { body } = await eventually(
    () => submit(),
    ({ status }) => status === 202,
  );
  accepted = body.id;
  await holdfast.until(accepted, ({ attempt }) => attempt > 1);
});

const submit = () =>
  holdfast.call('POST', '/tasks/fetch-joke', {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ category: 'fails-twice' }),
  });

/** Every call that needs Temporal. */
const calls = () =>
  [
    ['POST', '/tasks/fetch-joke'],
    ['POST', `/tasks/${accepted}/cancel`],
    ['GET', `/tasks/${accepted}`],
    ['GET', '/tasks'],
    ['GET', '/tasks?status=retrying'],
    ['GET', '/ready'],
  ] as const;

/** Each of those calls, alone, is answered in under 3 s; gives its problem's outcome. */
async function expectAway(method: string, path: string): Promise<string | undefined> {
  const started = performance.now();
  const answer = await holdfast.call(method, path);
  expect(performance.now() - started, `${method} ${path}`).toBeLessThan(3_000);
  const { outcome, retryable } = expectProblem(answer, 'temporal-unavailable');
  expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
  expect(retryable).toBe(true);
  return outcome;
}

/** The API is usable again, and what it had accepted before goes on to its end. */
async function expectReturn() {
  const { body } = await eventually(
    () => submit(),
    ({ status }) => status === 202,
    30_000,
  );
  for (const id of [accepted, body.id]) {
    expect(await holdfast.until(id, isFinished, 90_000)).toMatchObject({ status: 'completed', attempt: 3 });
  }
  await eventually(
    () => holdfast.call('GET', '/ready'),
    ({ status }) => status === 200,
  );
}

describe('Temporal killed with -9', () => {
  // Seen to fail when the client went on retrying what was not sent: the outcome was then unknown.
  test('every call is a 503 in under 3 s, submissions say that nothing was started, and all goes on afterwards', async () => {
    await temporal.kill();
    // The first call may still have met the dying connection; from then on it is known that nothing goes out.
    await expectAway('GET', '/tasks');
    for (let round = 0; round < 3; round += 1) {
      for (const [method, path] of calls()) {
        const outcome = await expectAway(method, path);
        expect({ method, path, outcome }).toEqual({
          method,
          path,
          outcome: method === 'POST' ? 'not-started' : undefined,
        });
      }
    }
    const many = await Promise.all(Array.from({ length: 50 }, () => expectAway('POST', '/tasks/fetch-joke')));
    expect(new Set(many)).toEqual(new Set(['not-started']));
    expect((await holdfast.call('GET', '/health')).status).toBe(200);
    // What was certainly not started counts as refused.
    const metrics = await (await fetch(`${holdfast.url}/metrics`)).text();
    expect(metrics).toMatch(/holdfast_submissions_total\{task="fetch-joke",outcome="refused"\} 53\n/);

    await temporal.start();
    await expectReturn();
  }, 240_000);

  test('an API started while Temporal is away answers the same, and works as soon as Temporal is there', async () => {
    await temporal.kill();
    const early = await startHoldfast({ TEMPORAL_ADDRESS: temporal.address });
    try {
      for (const [method, path] of [
        ['GET', '/ready'],
        ['POST', '/tasks/fetch-joke'],
        ['GET', '/tasks'],
      ] as const) {
        const started = performance.now();
        const answer = await early.call(method, path);
        expect(performance.now() - started, `${method} ${path}`).toBeLessThan(3_000);
        const { outcome } = expectProblem(answer, 'temporal-unavailable');
        expect(outcome).toBe(method === 'POST' ? 'not-started' : undefined);
        expect(answer.headers.has('retry-after')).toBe(true);
      }
      expect((await early.call('GET', '/health')).status).toBe(200);
      await temporal.start();
      await eventually(
        () => early.call('POST', '/tasks/fetch-joke'),
        ({ status }) => status === 202,
      );
    } finally {
      await early.stop();
    }
    await expectReturn();
  }, 240_000);
});

describe('Temporal stopped with SIGSTOP', () => {
  // Seen to fail without the deadlines of `callTemporal` and of the client.
  test('every call is a 503 in under 3 s, submissions say that they may have been started, and all goes on afterwards', async () => {
    await temporal.stop();
    try {
      for (const [method, path] of calls()) {
        const outcome = await expectAway(method, path);
        expect({ method, path, outcome }).toEqual({ method, path, outcome: method === 'POST' ? 'unknown' : undefined });
      }
      const many = await Promise.all(Array.from({ length: 20 }, () => expectAway('POST', '/tasks/fetch-joke')));
      expect(new Set(many)).toEqual(new Set(['unknown']));
      expect((await holdfast.call('GET', '/health')).status).toBe(200);
    } finally {
      temporal.resume();
    }
    await expectReturn();
  }, 240_000);
});
