import { ActivityCancellationDetails, ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import type { Behaviour } from '../../../../local/joke-api/behaviour.ts';
import { type JokeApi, startJokeApi } from '../../../../local/joke-api/create-joke-api.ts';
import { createPlaces } from '../../../../src/activities/places.ts';
import type { TaskActivities } from '../../../../src/tasks.ts';
import { startSlice } from '../../../support/slice.ts';

let api: JokeApi;
beforeAll(async () => {
  api = await startJokeApi();
});
afterAll(() => api.close());

const never = new AbortController().signal;
const stopping = { workerShutdown: true };

test('a slice makes the first attempt of each item, with its own key, log line and record', async () => {
  const slice = startSlice(api, {});
  const { outcomes, holdMs } = await slice.result;
  expect(holdMs).toBeUndefined();
  expect(outcomes.map(({ index }) => index).sort()).toEqual([100, 101, 102]);
  expect(outcomes[0]).toMatchObject({ output: { joke: expect.any(String) } });
  const calls = slice.requests().map(({ taskKey, attempt }) => `${taskKey} attempt ${attempt}`);
  expect(calls.sort()).toEqual([100, 101, 102].map((index) => `${slice.batchId}/${index} attempt 1`));
  expect(slice.lines).toEqual([100, 101, 102].map((index) => `Job <batch>/${index}: Fetching joke (attempt 1/5)`));
  expect(slice.records).toMatchObject([100, 101, 102].map(() => ({ task: 'fetch-joke', outcome: 'completed' })));
});

describe('the outcome of an item that failed', () => {
  const unavailable = { type: 'UpstreamUnavailable', message: 'HTTP 503', upstreamStatus: 503 };
  it.each<[string, Behaviour, object, object]>([
    ['has the wait of the policy', { status: 503 }, {}, { failure: unavailable, waitMs: 2_000 }],
    ['has the wait of Retry-After', { status: 503, retryAfter: '7' }, {}, { failure: unavailable, waitMs: 7_000 }],
    [
      'is final after the only attempt',
      { status: 503 },
      { maximumAttempts: 1 },
      { failure: unavailable, reason: 'attempts-exhausted' },
    ],
    [
      'is final by the policy',
      { status: 503 },
      { nonRetryableErrorTypes: ['UpstreamUnavailable'] },
      { failure: unavailable, reason: 'non-retryable' },
    ],
    [
      'is final by its type',
      { body: 'html' },
      {},
      { failure: { type: 'InvalidResponse', upstreamStatus: 200 }, reason: 'non-retryable' },
    ],
  ])('%s', async (_, behaviour, policy, expected) => {
    const { outcomes } = await startSlice(api, { size: 1, behaviours: [behaviour], policy }).result;
    expect(outcomes).toMatchObject([{ index: 100, ...expected }]);
  });

  it('shows nothing of an unexpected error, which only the log has', async () => {
    const activities = { 'fetch-joke': () => Promise.reject(new TypeError('secret')) } as TaskActivities;
    const slice = startSlice(api, { size: 1, activities });
    const failure = { type: 'UnexpectedError', message: "An unexpected error. The worker's log has the details" };
    expect(await slice.result).toEqual({ outcomes: [{ index: 100, failure, waitMs: 2_000 }] });
    expect(slice.lines).toEqual(['Job <batch>/100: secret on attempt 1, next in 2 s']);
  });
});

test('a slice makes three calls to an upstream that is down, and says for how long no slice should begin', async () => {
  const slice = startSlice(api, { size: 20, behaviours: [{ status: 503, retryAfter: '9' }] });
  const { outcomes, holdMs } = await slice.result;
  expect(slice.requests()).toHaveLength(3);
  expect(outcomes).toHaveLength(3);
  expect(holdMs).toBe(9_000);
});

test('a slice begins with one call, and has more calls at once after each answer', async () => {
  const slice = startSlice(api, { size: 15, behaviours: [{ delayMs: 40 }] });
  await slice.result;
  const running = slice
    .requests()
    .map(({ startedAt }, _, all) =>
      all.filter((call) => call.startedAt < startedAt && (call.endedAt ?? 0) > startedAt),
    );
  expect(running.map(({ length }) => length)[0]).toBe(0);
  expect(running[1]).toEqual([]);
  expect(Math.max(...running.map(({ length }) => length))).toBeGreaterThanOrEqual(3);
});

test('a slice fills the places within its second, even if the upstream is so slow that no call ends', async () => {
  const slice = startSlice(api, { size: 20, behaviours: [{ delayMs: 1_100 }] });
  await expect.poll(slice.requests).toHaveLength(9);
  expect(slice.requests().every(({ endedAt }) => endedAt === null)).toBe(true);
  slice.environment.cancel();
  await slice.result;
});

test('Node warns of nothing while a slice makes many calls at once', async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on('warning', onWarning);
  const slice = startSlice(api, { size: 25, behaviours: [{ delayMs: 1_500 }], places: createPlaces(31) });
  await expect.poll(slice.requests, { timeout: 5_000 }).toHaveLength(25);
  slice.environment.cancel();
  await slice.result;
  process.off('warning', onWarning);
  expect(warnings).toEqual([]);
});

test('a slice begins no call later than a second after its first, and returns without a signal', async () => {
  const slice = startSlice(api, { size: 1_000, behaviours: [{ delayMs: 20 }], places: createPlaces(1) });
  const { outcomes } = await slice.result;
  const starts = slice.requests().map(({ startedAt }) => startedAt);
  expect(outcomes).toHaveLength(starts.length);
  expect((starts.at(-1) ?? 0) - (starts[0] ?? 0)).toBeLessThan(1_100);
  expect((starts.at(-1) ?? 0) - (starts[0] ?? 0)).toBeGreaterThan(700);
  expect(outcomes.length).toBeLessThan(60);
});

test('a slice that waits for its first place sends heartbeats, and begins when it gets the place', async () => {
  const places = createPlaces(1);
  const release = await places.takeForSingle(never);
  const slice = startSlice(api, { size: 1, places });
  await expect.poll(slice.readHeartbeats).toBeGreaterThan(1);
  expect(slice.requests()).toEqual([]);
  release?.();
  expect((await slice.result).outcomes).toMatchObject([{ output: {} }]);
});

test('a slice takes its places for the owner of its batch', async () => {
  const places = createPlaces(10);
  const owners = new Set<string>();
  const takeForSlice: typeof places.takeForSlice = (owner, signal) => {
    owners.add(owner);
    return places.takeForSlice(owner, signal);
  };
  await startSlice(api, { places: { ...places, takeForSlice } }).result;
  expect([...owners]).toEqual(['owner']);
});

test('a slice that the server gave up makes no call and keeps no place', async () => {
  const places = createPlaces(1);
  const lost = ApplicationFailure.create({ type: 'AttemptLost' });
  const slice = startSlice(api, { places, confirm: () => Promise.reject(lost) });
  await expect(slice.result).rejects.toBe(lost);
  expect(slice.requests()).toEqual([]);
  expect(await places.takeForSingle(never)).toBeDefined();
});

test('a slice whose worker stops while Temporal is away makes no call, and returns its items', async () => {
  const worker = new AbortController();
  const confirm = (signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve());
      worker.abort();
    });
  const slice = startSlice(api, { stopping: worker.signal, confirm });
  expect(await slice.result).toEqual({ outcomes: [] });
  expect(slice.requests()).toEqual([]);
});

describe('a slice whose calls run', () => {
  async function startHanging(options: Parameters<typeof startSlice>[1] = {}) {
    const slice = startSlice(api, { size: 5, behaviours: [{ hang: 'headers' }], ...options });
    await expect.poll(slice.requests).toHaveLength(1);
    return slice;
  }

  it('aborts them when the batch is cancelled, and returns them as cancelled', async () => {
    const slice = await startHanging();
    slice.environment.cancel('CANCELLED', new ActivityCancellationDetails({ cancelRequested: true }));
    expect(await slice.result).toEqual({ outcomes: [{ index: 100, cancelled: true }] });
    expect(slice.records).toMatchObject([{ outcome: 'cancelled' }]);
    expect(slice.lines.at(-1)).toBe('Job <batch>/100: cancelled on attempt 1');
  });

  it('begins no more when its worker stops, and returns those that outlast the grace period as WorkerShutdown', async () => {
    const worker = new AbortController();
    const slice = await startHanging({ stopping: worker.signal, size: 2 });
    worker.abort();
    slice.environment.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails(stopping));
    const { outcomes } = await slice.result;
    expect(outcomes).toMatchObject([{ index: 100, failure: { type: 'WorkerShutdown' }, waitMs: 2_000 }]);
  });

  it('lets them end when its worker stops', async () => {
    const worker = new AbortController();
    const slice = await startHanging({ stopping: worker.signal, behaviours: [{ delayMs: 200 }] });
    worker.abort();
    expect((await slice.result).outcomes).toMatchObject([{ index: 100, output: {} }]);
    expect(slice.requests()).toHaveLength(1);
  });

  it('lets them end when an operator resets the slice', async () => {
    const slice = await startHanging({ behaviours: [{ delayMs: 200 }] });
    slice.environment.cancel('RESET', new ActivityCancellationDetails({ reset: true }));
    expect((await slice.result).outcomes).toMatchObject([{ index: 100, output: {} }]);
    expect(slice.requests()).toHaveLength(1);
  });
});
