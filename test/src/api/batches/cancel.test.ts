import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Batch } from '../../../../src/api/batches/batch-schemas.ts';
import { toCounts, withBatches } from '../../../support/batches.ts';
import { eventually, type Holdfast, startHoldfast } from '../../../support/holdfast.ts';
import { expectProblem } from '../../../support/problem.ts';

let holdfast: Holdfast;
let batches: ReturnType<typeof withBatches>;

beforeAll(async () => {
  holdfast = await startHoldfast({ BASE_DELAY: '60', HEARTBEAT_TIMEOUT: '1', WORKER_CONCURRENCY: '5' });
  batches = withBatches(holdfast);
  await holdfast.startWorker();
});
afterAll(() => holdfast?.stop());

function addCategory(then: object[]): string {
  const category = randomUUID();
  holdfast.jokes.rules.add({ when: { category }, then, repeat: true });
  return category;
}

/** Returns items of which every third has this category. A slice begins no more items after several failures in a row. */
const failsThird = (count: number, category: string) =>
  Array.from({ length: count }, (_, index) => (index % 3 === 2 ? { category } : {}));

/** Expects a cancelled batch whose counts include every item and agree with the items. */
function expectCancelled(batch: Batch) {
  expect(batch).toMatchObject({ status: 'cancelled', running: 0, finishedAt: expect.any(String) });
  expect(batch.items).toHaveLength(batch.total);
  const { completed, failed, cancelled } = batch;
  expect({ completed, failed, cancelled }).toEqual(toCounts(batch.items ?? []));
  expect(completed + failed + cancelled).toBe(batch.total);
}

test('a batch cancelled before a worker takes it runs no item', async () => {
  const idle = await startHoldfast({ API_BASE_URL: holdfast.jokes.url });
  try {
    const ours = withBatches(idle);
    const category = addCategory([{}]);
    const { id } = await ours.submit({ count: 250, input: { category } });
    expect((await ours.cancel(id)).status).toBe(202);
    await idle.startWorker();
    const batch = await ours.untilEnded(id);
    expectCancelled(batch);
    expect(batch).toMatchObject({ cancelled: 250 });
    expect(batch.items?.[0]).toEqual({ index: 0, status: 'cancelled', attempts: 0 });
    expect(holdfast.jokes.ledger({ category })).toEqual([]);
  } finally {
    await idle.stop();
  }
});

// Seen to fail when a chunk was cancelled before it had started: Temporal refused that, and its items ran to the end.
test('a batch cancelled at any moment of its start retries no item', async () => {
  const category = addCategory([{ status: 503 }]);
  const ids: string[] = [];
  for (let delayMs = 0; delayMs < 100; delayMs += 4) {
    const { id } = await batches.submit({ count: 2, input: { category } });
    await setTimeout(delayMs);
    expect((await batches.cancel(id)).status).toBe(202);
    ids.push(id);
  }
  for (const id of ids) expectCancelled(await batches.untilEnded(id, 15_000));
});

// Seen to fail without the last report of a cancelled chunk: its counts said cancelled, but its items completed.
test('a cancelled batch keeps the items that have ended, and cancels those that run or wait', async () => {
  const hanging = addCategory([{ hang: 'headers' }]);
  const items = Array.from({ length: 600 }, (_, index) => (index >= 60 && index < 64 ? { category: hanging } : {}));
  const { id } = await batches.submit({ items });
  // Calls that hang take all four places that slices may use, so no other item makes progress.
  await eventually(
    () => holdfast.jokes.ledger({ category: hanging }),
    (calls) => calls.length === 4,
  );
  const during = await batches.until(
    id,
    ({ items }) => items?.slice(60, 64).every(({ status }) => status === 'running') ?? false,
  );
  const cancelledAt = Date.now();
  expect((await batches.cancel(id)).body).toMatchObject({ id, status: 'running' });
  expect((await batches.cancel(id)).status).toBe(202);
  const batch = await batches.untilEnded(id);
  expectCancelled(batch);
  expect(batch.completed).toBeGreaterThan(0);
  for (const { status, attempts } of batch.items?.slice(60, 64) ?? [])
    expect({ status, attempts }).toEqual({ status: 'cancelled', attempts: 1 });
  for (const { index, status } of batch.items ?? [])
    if (during.items?.[index]?.status === 'completed') expect(status).toBe('completed');
  // The attempts learn of it with their next heartbeat, within 0.8 × the heartbeat timeout, and end their calls.
  const calls = holdfast.jokes.ledger({ category: hanging });
  expect(calls).toHaveLength(4);
  expect(calls.every(({ endedAt }) => endedAt !== null)).toBe(true);
  expect(Date.parse(batch.finishedAt ?? '') - cancelledAt).toBeLessThan(5_000);
});

// Seen to fail without the signal that reports the attempts: every waiting item showed 0.
test('items cancelled while they wait for their next attempt still show their attempts', async () => {
  const unavailable = addCategory([{ status: 503 }]);
  const { id } = await batches.submit({ items: failsThird(90, unavailable) });
  await batches.until(id, ({ items }) => items?.filter(({ status }) => status === 'retrying').length === 30);
  await batches.cancel(id);
  const batch = await batches.untilEnded(id);
  expectCancelled(batch);
  expect(batch).toMatchObject({ completed: 60, cancelled: 30 });
  for (const { index, status, attempts } of batch.items ?? [])
    expect({ status, attempts }).toEqual({ status: index % 3 === 2 ? 'cancelled' : 'completed', attempts: 1 });
  expect(holdfast.jokes.ledger({ category: unavailable })).toHaveLength(30);
});

test('a batch cancelled while its worker is dead ends as soon as another worker starts', async () => {
  const lone = await startHoldfast({ API_BASE_URL: holdfast.jokes.url, BASE_DELAY: '60' });
  try {
    const ours = withBatches(lone);
    const worker = await lone.startWorker();
    const { id } = await ours.submit({ items: failsThird(30, addCategory([{ status: 503 }])) });
    await ours.until(id, ({ items }) => items?.filter(({ status }) => status === 'retrying').length === 10);
    await worker.stop();
    expect((await ours.cancel(id)).status).toBe(202);
    expect(await ours.read(id)).toMatchObject({ status: 'running' });
    await lone.startWorker();
    const batch = await ours.untilEnded(id);
    expectCancelled(batch);
    expect(batch.items?.every(({ attempts }) => attempts === 1)).toBe(true);
  } finally {
    await lone.stop();
  }
});

test('cancelling a finished batch is a 409 and changes nothing; cancelling a cancelled batch again is a 202', async () => {
  const { id } = await batches.submit({ count: 2 });
  const ended = await batches.untilEnded(id);
  expectProblem(await batches.cancel(id), 'already-finished');
  expect(await batches.read(id, '?limit=1000')).toEqual(ended);

  const waiting = await batches.submit({ count: 2, input: { category: addCategory([{ status: 503 }]) } });
  await batches.cancel(waiting.id);
  await batches.untilEnded(waiting.id);
  expect((await batches.cancel(waiting.id)).body).toMatchObject({ status: 'cancelled', cancelled: 2 });
});

// Seen to fail when the batch knew only the counts that the chunk had reported: 10 completed items, after 12.
test('if an operator terminates a chunk, the items that have completed stay completed in the counts', async () => {
  const [late, down] = [addCategory([{ delayMs: 5_000 }]), addCategory([{ status: 503 }])];
  const fill = (category: string) => Array(2).fill({ category });
  const { id } = await batches.submit({ items: [...Array(10).fill({}), ...fill(late), ...fill(down)] });
  await batches.untilCounts(id, ({ completed }) => completed === 12);
  await holdfast.client.workflow.getHandle(`${id}~0`).terminate('by hand');
  const batch = await batches.untilEnded(id);
  expect(batch).toMatchObject({ status: 'completed', completed: 12, failed: 2, running: 0 });
  expect(toCounts(batch.items ?? [])).toEqual({ completed: 12, failed: 2, cancelled: 0 });
});

test('a batch that an operator terminates has failed, and so has every unfinished item', async () => {
  const category = addCategory([{ status: 503 }]);
  const { id } = await batches.submit({ items: [...Array(10).fill({}), ...Array(5).fill({ category })] });
  await batches.until(id, ({ completed, items }) => completed === 10 && items?.[14]?.status === 'retrying');
  await holdfast.client.workflow.getHandle(id).terminate('by hand');
  const batch = await batches.until(
    id,
    ({ items }) => items?.every(({ status }) => status === 'completed' || status === 'failed') ?? false,
  );
  expect(batch).toMatchObject({ status: 'failed', completed: 10, failed: 5, running: 0 });
  expect(batch.items?.[14]?.failure).toMatchObject({ type: 'Terminated', reason: 'terminated' });
});
