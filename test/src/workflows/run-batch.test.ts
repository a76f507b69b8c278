import { randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type JokeApi, startJokeApi } from '../../../local/joke-api/create-joke-api.ts';
import { quietRuntime } from '../../../local/time-skipping/quiet-runtime.ts';
import { createTimeSkippingEnvironment } from '../../../local/time-skipping/start-time-skipping.ts';
import { type Environment, loadConfig } from '../../../src/config/config.ts';
import {
  type BatchArguments,
  type BatchMemo,
  batchType,
  type ChunkArguments,
  type Counts,
  chunkType,
  type ProgressArguments,
  progressSignal,
  toChunkId,
} from '../../../src/contract.ts';
import { createWorkers } from '../../../src/create-workers.ts';
import { toActivityOptions } from '../../../src/policy.ts';
import { toEpochMs } from '../../../src/temporal/payloads.ts';

// The server skips waits, so that only the attempts themselves take time.
let environment: TestWorkflowEnvironment;
let jokes: JokeApi;
let stopWorker: () => Promise<void>;

beforeAll(async () => {
  quietRuntime();
  environment = await createTimeSkippingEnvironment(inject('timeSkippingServer'));
  jokes = await startJokeApi();
  const config = loadConfig({ API_BASE_URL: jokes.url, SHUTDOWN_GRACE: '0', WORKER_CONCURRENCY: '100' });
  const workers = await createWorkers(config, {
    connection: environment.nativeConnection,
    workflowBundle: { codePath: inject('workflowBundle') },
    record: () => {},
  });
  const drained = workers.run();
  stopWorker = async () => {
    workers.shutdown();
    await drained;
  };
});
afterAll(async () => {
  await stopWorker?.();
  await environment?.teardown();
  await jokes?.close();
});

const createId = () => `trial_fetch-joke_batch_${randomUUID()}`;

/** Starts a batch as the API does, under the policy of these variables. */
function start(
  { inputs, chunkSizes }: Pick<BatchArguments, 'inputs' | 'chunkSizes'>,
  variables: Environment = {},
  workflowId = createId(),
) {
  const { policy, taskQueue } = loadConfig(variables);
  const options = toActivityOptions(policy);
  const memo: BatchMemo = { chunkSizes, submittedAt: new Date().toISOString() };
  return environment.client.workflow.start(batchType, {
    workflowId,
    taskQueue,
    args: [{ name: 'fetch-joke', inputs, chunkSizes, options, jitter: 0 } satisfies BatchArguments],
    memo,
  });
}

const addCategory = (then: object[], repeat = true) => {
  const category = randomUUID();
  jokes.rules.add({ when: { category }, then, repeat });
  return category;
};
const readProgress = async (handle: Awaited<ReturnType<typeof start>>) =>
  ((await handle.describe()).memo as BatchMemo).progress;

// Seen to fail when a failed item counted as completed.
test('every item ends, an unavailable upstream gets five attempts over 30 s, and the memo has the counts', async () => {
  const good = addCategory([{}]);
  const unavailable = addCategory([{ status: 503 }]);
  const inputs = Array.from({ length: 12 }, (_, index) => ({ category: index % 4 === 3 ? unavailable : good }));
  const began = await environment.currentTimeMs();
  const handle = await start({ inputs, chunkSizes: [5, 5, 2] });
  const counts: Counts = await handle.result();
  expect(counts).toEqual({ completed: 9, failed: 3, cancelled: 0 });
  expect((await environment.currentTimeMs()) - began).toBeGreaterThanOrEqual(30_000);
  expect(await readProgress(handle)).toEqual(counts);
  expect(jokes.ledger({ category: good })).toHaveLength(9);
  const keys = jokes.ledger({ category: unavailable }).map(({ taskKey }) => taskKey);
  for (const index of [3, 7, 11]) expect(keys.filter((key) => key === `${handle.workflowId}/${index}`)).toHaveLength(5);
});

test('items with the same input get different idempotency keys', async () => {
  const category = addCategory([{}]);
  const handle = await start({ inputs: { count: 7, input: { category } }, chunkSizes: [3, 3, 1] });
  expect(await handle.result()).toEqual({ completed: 7, failed: 0, cancelled: 0 });
  expect(new Set(jokes.ledger({ category }).map(({ taskKey }) => taskKey))).toEqual(
    new Set(Array.from({ length: 7 }, (_, index) => `${handle.workflowId}/${index}`)),
  );
});

// Seen to fail with a limit of 4,000 instead of 400.
test('a batch of any size has at most 400 items in flight', async () => {
  const category = addCategory([{ delayMs: 20 }]);
  const handle = await start({ inputs: { count: 1_000, input: { category } }, chunkSizes: Array(10).fill(100) });
  expect(await handle.result()).toEqual({ completed: 1_000, failed: 0, cancelled: 0 });
  const histories = await Promise.all(
    Array.from({ length: 10 }, (_, n) =>
      environment.client.workflow.getHandle(toChunkId(handle.workflowId, n)).fetchHistory(),
    ),
  );
  const changes = histories
    .flatMap(({ events }) => events ?? [])
    .flatMap((event) => [
      ...(event.activityTaskScheduledEventAttributes ? [{ at: toEpochMs(event.eventTime), by: 1 }] : []),
      ...(event.activityTaskCompletedEventAttributes ? [{ at: toEpochMs(event.eventTime), by: -1 }] : []),
    ])
    .sort((a, b) => a.at - b.at || a.by - b.by);
  let inFlight = 0;
  const seen = changes.map(({ by }) => (inFlight += by));
  expect(seen).toHaveLength(2_000);
  expect(Math.max(...seen)).toBeGreaterThan(300);
  expect(Math.max(...seen)).toBeLessThanOrEqual(400);
});

/** Returns the number of events in the histories of a batch and of the workflows that it started. */
async function countEvents(workflowId: string): Promise<number> {
  const { events } = await environment.client.workflow.getHandle(workflowId).fetchHistory();
  const children = (events ?? []).flatMap((event) => {
    const id = event.childWorkflowExecutionStartedEventAttributes?.workflowExecution?.workflowId;
    return id ? [id] : [];
  });
  const counts = await Promise.all(children.map(countEvents));
  return counts.reduce((sum, count) => sum + count, events?.length ?? 0);
}

const aDayApart = { BASE_DELAY: '86400', MAX_DELAY: '86400', MAX_ATTEMPTS: '3' };

// Seen to fail with 14,459 events: the chunk started a timer every minute. After 7 days, Temporal would have ended it.
test('an item that waits two days for its attempts adds few events to the histories of its batch', async () => {
  const [good, slow] = [addCategory([{}]), addCategory([{ status: 503 }, { status: 503 }, {}], false)];
  const began = await environment.currentTimeMs();
  const handle = await start({ inputs: [{ category: good }, { category: slow }], chunkSizes: [2] }, aDayApart);
  expect(await handle.result()).toEqual({ completed: 2, failed: 0, cancelled: 0 });
  expect((await environment.currentTimeMs()) - began).toBeGreaterThanOrEqual(2 * 86_400_000);
  expect(await countEvents(handle.workflowId)).toBeLessThan(100);
});

// Seen to fail when the batch checked its chunk every 5 minutes.
test('a batch that awaits a chunk of an earlier run checks it at intervals that grow', async () => {
  const category = addCategory([{ status: 503 }, { status: 503 }, {}], false);
  const { policy, taskQueue } = loadConfig(aDayApart);
  const workflowId = createId();
  const chunkId = toChunkId(workflowId, 0);
  const common = { name: 'fetch-joke', options: toActivityOptions(policy), jitter: 0 } as const;
  const inputs = [{ category }];
  const args: [ChunkArguments] = [{ ...common, inputs, first: 0 }];
  const chunk = await environment.client.workflow.start(chunkType, { workflowId: chunkId, taskQueue, args });
  const batch = await start({ inputs, chunkSizes: [1] }, aDayApart, workflowId);
  const counts = await chunk.result();
  expect(counts).toEqual({ completed: 1, failed: 0, cancelled: 0 });
  // This chunk has no parent, so it sends no counts.
  await batch.signal<ProgressArguments>(progressSignal, chunkId, counts);
  expect(await batch.result()).toEqual(counts);
  expect((await countEvents(workflowId)) + (await countEvents(chunkId))).toBeLessThan(300);
});

// Seen to fail when the batch did not pass its cancellation on to its chunks.
test('a cancelled batch ends as cancelled and its counts include every item', async () => {
  const unavailable = addCategory([{ status: 503 }]);
  const inputs = Array.from({ length: 6 }, (_, index) => (index < 2 ? {} : { category: unavailable }));
  const handle = await start({ inputs, chunkSizes: [3, 3] }, { BASE_DELAY: '3600', MAX_DELAY: '3600' });
  // The time-skipping server can lose a cancellation that meets a running attempt. So all items wait, and this client
  // skips no time while it waits for the result.
  const { workflow } = new Client({ connection: environment.connection });
  const countWaiting = async () => {
    const chunks = [0, 1].map((number) => environment.client.workflow.getHandle(toChunkId(handle.workflowId, number)));
    const found = await Promise.all(chunks.map((chunk) => chunk.describe().catch(() => undefined)));
    return found.flatMap((chunk) => chunk?.raw.pendingActivities ?? []).filter(({ attempt }) => attempt === 2).length;
  };
  await expect.poll(countWaiting, { timeout: 20_000 }).toBe(4);
  await handle.cancel();
  const result = workflow.getHandle(handle.workflowId).result();
  await expect(result).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
  expect(await readProgress(handle)).toEqual({ completed: 2, failed: 0, cancelled: 4 });
});
