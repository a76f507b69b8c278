import { randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { quietRuntime } from '../../../local/time-skipping/quiet-runtime.ts';
import { createTimeSkippingEnvironment } from '../../../local/time-skipping/start-time-skipping.ts';
import { type ItemState, queued, toItemStates } from '../../../src/api/batches/item-states.ts';
import { type Environment, loadConfig } from '../../../src/config/config.ts';
import {
  type BatchArguments,
  type BatchMemo,
  type Counts,
  slicedBatchType,
  sliceSignal,
  toChunkId,
} from '../../../src/contract.ts';
import { toActivityOptions } from '../../../src/policy.ts';
import { toEpochMs } from '../../../src/temporal/payloads.ts';
import { attemptFirst, type Script, startScriptedWorkers, toOutcome, unavailable } from '../../support/slices.ts';

// The server skips waits, and the activities are scripts, so each test decides how its slices end.
let environment: TestWorkflowEnvironment;
let workers: Awaited<ReturnType<typeof startScriptedWorkers>>;

beforeAll(async () => {
  quietRuntime();
  environment = await createTimeSkippingEnvironment(inject('timeSkippingServer'));
  workers = await startScriptedWorkers(environment, { codePath: inject('workflowBundle') });
});
afterAll(async () => {
  await workers?.stop();
  await environment?.teardown();
});

type Options = Pick<BatchArguments, 'inputs'> & Partial<BatchArguments> & { variables?: Environment; script?: Script };

/** Starts a batch as the API does. */
async function start({ inputs, script, variables = {}, ...more }: Options) {
  const { policy, taskQueue } = loadConfig(variables);
  const workflowId = `trial_fetch-joke_batch_${randomUUID()}`;
  if (script) workers.script(workflowId, script);
  const chunkSizes = more.chunkSizes ?? [Array.isArray(inputs) ? inputs.length : inputs.count];
  const handle = await environment.client.workflow.start(slicedBatchType, {
    workflowId,
    taskQueue,
    args: [{ name: 'fetch-joke', inputs, chunkSizes, options: toActivityOptions(policy), jitter: 0, ...more }],
    memo: { chunkSizes, submittedAt: new Date().toISOString() } satisfies BatchMemo,
  });
  const chunk = environment.client.workflow.getHandle(toChunkId(workflowId, 0));
  const readItems = async () => {
    const all = new Map<string, ItemState>();
    for (const [number] of chunkSizes.entries()) {
      const one = environment.client.workflow.getHandle(toChunkId(workflowId, number));
      const { events } = await one.fetchHistory();
      const { raw } = await one.describe();
      const { states } = await toItemStates(environment.client, events ?? [], raw.pendingActivities ?? []);
      for (const [index, state] of states) all.set(index, state);
    }
    return Array.from({ length: all.size }, (_, index) => all.get(String(index)) ?? queued);
  };
  return {
    handle,
    chunk,
    /** Returns the counts. Checks that the chunks' histories say the same about each item as the calls. */
    async result(): Promise<Counts> {
      const counts: Counts = await handle.result();
      const items = await readItems();
      const count = (status: string) => items.filter((item) => item.status === status).length;
      expect(counts).toEqual({ completed: count('completed'), failed: count('failed'), cancelled: count('cancelled') });
      // The time-skipping server does not report the attempts of an item's own activity.
      const isAlone = (index: number) => workers.calls(workflowId).some((call) => call.index === index && !call.slice);
      expect(items.filter(({ attemptsMade }, index) => attemptsMade !== 1 && !isAlone(index))).toEqual([]);
      return counts;
    },
    readItems,
    calls: () => workers.calls(workflowId),
    attemptsOf: (index: number) =>
      workers
        .calls(workflowId)
        .filter((call) => call.index === index)
        .map(({ attempt }) => attempt),
    memo: async () => (await handle.describe()).memo as BatchMemo,
    readEvents: async () => (await chunk.fetchHistory()).events ?? [],
  };
}

type Events = Awaited<ReturnType<Awaited<ReturnType<typeof start>>['readEvents']>>;
/** Returns the time between the first and the last event. */
const toElapsedMs = (events: Events) => toEpochMs(events.at(-1)?.eventTime) - toEpochMs(events[0]?.eventTime);

const toInputs = (count: number, toCategory: (index: number) => string = () => 'ok') =>
  Array.from({ length: count }, (_, index) => ({ category: toCategory(index) }));

// Seen to fail without `toLaterOptions`: the attempts 2 to 6, and waits of 2, 2, 4, 8 and 16 s.
test('an item that fails in a slice continues alone with attempt 2 of 5, and waits 2, 4, 8 and 16 s', async () => {
  const inputs = toInputs(12, (index) => (index === 3 ? 'down' : index === 7 ? 'rejected' : 'ok'));
  const { result, attemptsOf, calls, memo, readEvents } = await start({ inputs, chunkSizes: [5, 7] });
  const counts = await result();
  expect(counts).toEqual({ completed: 10, failed: 2, cancelled: 0 });
  const events = await readEvents();
  const elapsedMs = toElapsedMs(events);
  expect(elapsedMs).toBeGreaterThanOrEqual(30_000);
  expect(elapsedMs).toBeLessThan(40_000);
  expect(attemptsOf(3)).toEqual([1, 2, 3, 4, 5]);
  expect(attemptsOf(7)).toEqual([1]);
  expect(calls()).toHaveLength(16);
  expect(await memo()).toMatchObject({ progress: counts, chunks: { 0: [4, 1, 0], 1: [6, 1, 0] } });
  const [, own] = events.flatMap(({ activityTaskScheduledEventAttributes: found }) => found ?? []);
  expect(own).toMatchObject({ activityId: '3', retryPolicy: { maximumAttempts: 4 } });
});

// Seen to fail when the limits were constants of the workflow: slices of 10 items, and no item alone before two losses.
test('the limits of slices come from the input of the batch', async () => {
  const sizes: number[] = [];
  const { result, calls } = await start({
    inputs: toInputs(12),
    sliceLimits: { minimumItems: 3, maximumLosses: 1, firstIdleMs: 1, maximumIdleMs: 1 },
    script: {
      slice: async (slice, id) => {
        sizes.push(slice.indexes.length);
        if (id === 'slice-1') throw new Error('The worker died');
        return attemptFirst(slice, 1);
      },
    },
  });
  expect(await result()).toEqual({ completed: 12, failed: 0, cancelled: 0 });
  expect(sizes.slice(0, 3)).toEqual([12, 3, 3]);
  expect(
    calls()
      .flatMap(({ index, slice }) => (slice ? [] : [index]))
      .sort(),
  ).toEqual([1, 2, 3]);
});

test('if the policy allows one attempt, an item that fails in its slice makes no other', async () => {
  const { result, calls } = await start({
    inputs: toInputs(1),
    variables: { MAX_ATTEMPTS: '1' },
    script: {
      slice: async () => ({
        outcomes: [{ index: 0, failure: { type: 'UpstreamUnavailable', message: '' }, reason: 'attempts-exhausted' }],
      }),
    },
  });
  expect(await result()).toEqual({ completed: 0, failed: 1, cancelled: 0 });
  expect(calls()).toHaveLength(1);
});

// Seen to fail when the items of a lost slice counted as failed.
test('the items of a lost slice are attempted again once, as the same attempt', async () => {
  const { result, calls } = await start({
    inputs: toInputs(30),
    script: {
      slice: async (slice, id) => {
        if (id === 'slice-0') throw new Error('The worker died');
        return attemptFirst(slice);
      },
    },
  });
  expect(await result()).toEqual({ completed: 30, failed: 0, cancelled: 0 });
  expect(calls().map(({ index, attempt }) => [index, attempt])).toEqual(
    Array.from({ length: 30 }, (_, index) => [index, 1]),
  );
});

// Seen to fail when items shared slices after any number of lost slices: the batch never ended.
test('an item that kills its workers harms only itself: after two lost slices it runs alone', async () => {
  const poisonous = 17;
  const { result, calls } = await start({
    inputs: toInputs(40, (index) => (index === poisonous ? 'rejected' : 'ok')),
    script: {
      slice: async (slice) => {
        if (slice.indexes.includes(poisonous)) throw new Error('The worker died');
        return attemptFirst(slice);
      },
    },
  });
  expect(await result()).toEqual({ completed: 39, failed: 1, cancelled: 0 });
  const alone = calls().filter(({ slice }) => slice === undefined);
  expect(alone.length).toBeLessThanOrEqual(10);
  expect(alone).toContainEqual({ index: poisonous, attempt: 1 });
});

test('if an operator completes a slice with another value, no item is lost', async () => {
  const { result } = await start({
    inputs: toInputs(2),
    script: { slice: async (slice, id) => (id === 'slice-0' ? ({ outcomes: 'no' } as never) : attemptFirst(slice)) },
  });
  expect(await result()).toEqual({ completed: 2, failed: 0, cancelled: 0 });
});

// Seen to fail when the next slice waited for the end of the slow one.
test('a slice with slow calls gives back the rest, and other slices begin beside it. Repeated and malformed signals change nothing', async () => {
  let release = () => {};
  const others = new Promise<void>((resolve) => {
    release = resolve;
  });
  let seen: string[] = [];
  const batch = await start({
    inputs: toInputs(20, (index) => (index === 2 ? 'down' : 'ok')),
    script: {
      slice: async (slice, id) => {
        if (id !== 'slice-0') {
          release();
          return attemptFirst(slice);
        }
        const outcomes = [0, 1, 2].map((index) => toOutcome(index, index === 2 ? { category: 'down' } : {}));
        const signals: unknown[][] = [
          ['slice-0', { outcomes, running: [3, 4] }],
          ['slice-0', { outcomes, running: [3, 4] }],
          ['slice-9', { outcomes: [toOutcome(5, {})], running: [] }],
          ['slice-0', { outcomes: [toOutcome(6, {})], running: [3, 4] }],
          [],
          ['slice-0', { outcomes: [{ index: 3 }], running: [] }],
          ['slice-0', { outcomes: [], running: 'all' }],
        ];
        for (const signal of signals) await batch.chunk.signal(sliceSignal, ...signal);
        await others;
        const items = await batch.readItems();
        seen = items.slice(0, 5).map(({ status, attemptsMade }) => `${status} ${attemptsMade}`);
        return { outcomes: [toOutcome(3, {}), toOutcome(4, {}), toOutcome(0, {})] };
      },
    },
  });
  expect(await batch.result()).toEqual({ completed: 19, failed: 1, cancelled: 0 });
  expect(seen).toEqual(['completed 1', 'completed 1', 'retrying 1', 'running 1', 'running 1']);
  const own = batch.calls().filter(({ slice }) => slice === undefined);
  expect(own.map(({ index, attempt }) => [index, attempt])).toEqual([2, 3, 4, 5].map((attempt) => [2, attempt]));
  const later = batch.calls().filter(({ slice = 'slice-0' }) => slice !== 'slice-0');
  expect(later.map(({ index }) => index)).toEqual(Array.from({ length: 15 }, (_, n) => n + 5));
});

test('a cancelled batch counts the items that wait or have not begun as cancelled', async () => {
  const { handle, readEvents, readItems, memo } = await start({
    inputs: toInputs(10, (index) => (index < 2 ? 'ok' : 'down')),
    variables: { BASE_DELAY: '3600', MAX_DELAY: '3600' },
    // The waits are long, because the time-skipping server can lose a cancellation that meets a running attempt.
    script: { slice: async (slice) => ({ ...attemptFirst(slice, 5, 3_600_000), holdMs: 3_600_000 }) },
  });
  await expect
    .poll(async () => (await readEvents()).filter((event) => event.timerStartedEventAttributes).length, {
      timeout: 20_000,
    })
    .toBeGreaterThan(3);
  const [completed, , failed] = await readItems();
  expect(completed).toMatchObject({ status: 'completed', attemptsMade: 1, output: { joke: expect.any(String) } });
  expect(failed).toMatchObject({ status: 'retrying', attemptsMade: 1, lastFailure: unavailable });
  await handle.cancel();
  // This client skips no time while it waits.
  const result = new Client({ connection: environment.connection }).workflow.getHandle(handle.workflowId).result();
  await expect(result).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
  expect((await memo()).progress).toEqual({ completed: 2, failed: 0, cancelled: 8 });
});

// Each slice begins one item, as with an upstream that is down, or with one place and slow calls.
test('even if slices begin one item each and wait for minutes, a chunk of 500 items has at most half of 51,200 events', async () => {
  const count = 50;
  const { result, readEvents, handle } = await start({
    inputs: { count, input: {} },
    variables: { BASE_DELAY: '300' },
    script: {
      slice: async ({ indexes: [index = 0] }) => ({
        outcomes: [toOutcome(index, { category: 'down' })],
        holdMs: 2_000,
      }),
      item: async () => ({}),
    },
  });
  expect(await result()).toEqual({ completed: count, failed: 0, cancelled: 0 });
  const events = await readEvents();
  expect(toElapsedMs(events)).toBeGreaterThan(3 * 3_600_000);
  const maximum = (51_200 / 2 / 500) * count;
  expect(events.length).toBeLessThan(maximum);
  expect((await handle.fetchHistory()).events?.length).toBeLessThan(maximum);
});
