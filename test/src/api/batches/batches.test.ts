import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BatchItem } from '../../../../src/api/batches/batch-schemas.ts';
import { toCounts, withBatches } from '../../../support/batches.ts';
import { type Holdfast, isFinished, startHoldfast } from '../../../support/holdfast.ts';
import { expectProblem } from '../../../support/problem.ts';

let holdfast: Holdfast;
let batches: ReturnType<typeof withBatches>;

beforeAll(async () => {
  holdfast = await startHoldfast({ BASE_DELAY: '0.2', MAX_ATTEMPTS: '3' });
  batches = withBatches(holdfast);
  await holdfast.startWorker();
});
afterAll(() => holdfast?.stop());

/** Returns a category that the joke API answers with `then`, one behaviour per call. */
function addCategory(then: object[], repeat = true): string {
  const category = randomUUID();
  holdfast.jokes.rules.add({ when: { category }, then, repeat });
  return category;
}

// Seen to fail with the workflow id alone as the idempotency key, and with the items of two chunks swapped.
test('a batch is accepted at once, and every item ends with the joke of its own call', async () => {
  const category = addCategory([{}]);
  const { status, headers, body } = await batches.post({ count: 600, input: { category } });
  expect(status).toBe(202);
  expect(headers.get('location')).toBe(`/batches/${body.id}`);
  expect(body).toMatchObject({ name: 'fetch-joke', total: 600, running: 600, completed: 0, status: 'running' });

  const batch = await batches.untilEnded(body.id);
  expect(batch).toMatchObject({ status: 'completed', total: 600, completed: 600, failed: 0, cancelled: 0, running: 0 });
  expect(batch.items?.map(({ index }) => index)).toEqual(Array.from({ length: 600 }, (_, index) => index));
  const calls = holdfast.jokes.ledger({ category });
  expect(calls).toHaveLength(600);
  const jokes = new Map(calls.map((call) => [call.taskKey, call.jokeId]));
  for (const { index, status, attempts, output } of batch.items ?? []) {
    expect({ status, attempts }).toEqual({ status: 'completed', attempts: 1 });
    expect(jokes.get(`${batch.id}/${index}`)).toBe(output?.id);
  }
});

// Seen to fail when `toEnd` rethrew every error, and without the counts of failed items.
test('failing items never harm the others: each is retried, fails and is reported separately', async () => {
  const good = addCategory([{}]);
  const items = Array.from({ length: 120 }, () => ({ category: good }));
  items[7] = { category: addCategory([{ status: 404 }]) };
  items[8] = { category: addCategory([{ status: 503 }]) };
  items[9] = { category: addCategory([{ status: 503 }, {}], false) };
  items[110] = { category: addCategory([{ status: 200, body: 'html' }]) };
  const batch = await batches.untilEnded((await batches.submit({ items })).id);
  expect(batch).toMatchObject({ status: 'completed', completed: 117, failed: 3, cancelled: 0, running: 0 });
  const unavailable = { type: 'UpstreamUnavailable', message: 'HTTP 503', upstreamStatus: 503 };
  expect(batch.items?.[7]).toMatchObject({
    status: 'failed',
    attempts: 1,
    failure: { type: 'UpstreamRejected', upstreamStatus: 404, reason: 'non-retryable' },
  });
  expect(batch.items?.[8]).toMatchObject({
    status: 'failed',
    attempts: 3,
    failure: { ...unavailable, reason: 'attempts-exhausted' },
  });
  expect(batch.items?.[9]).toMatchObject({ status: 'completed', attempts: 2, lastFailure: unavailable });
  expect(batch.items?.[110]).toMatchObject({ status: 'failed', failure: { type: 'InvalidResponse' } });
  expect(toCounts(batch.items ?? [])).toEqual({ completed: 117, failed: 3, cancelled: 0 });
});

// Seen to fail when each child was awaited before the next one began.
test('items with long retries do not hold up other items', async () => {
  const slow = addCategory([{ status: 503 }]);
  const patient = await startHoldfast({ BASE_DELAY: '60', API_BASE_URL: holdfast.jokes.url });
  try {
    await patient.startWorker();
    const ours = withBatches(patient);
    const items = Array.from({ length: 900 }, (_, index) => (index % 100 === 0 ? { category: slow } : {}));
    const { id } = await ours.submit({ items });
    const batch = await ours.untilCounts(id, ({ completed }) => completed >= 891);
    expect(batch).toMatchObject({ status: 'running', completed: 891, running: 9 });
    expect(batch.items?.filter(({ status }) => status === 'retrying')).toHaveLength(9);
    expect(batch.items?.[0]).toMatchObject({ attempts: 1, nextAttemptAt: expect.any(String) });
    await ours.cancel(id);
    await ours.untilEnded(id);
  } finally {
    await patient.stop();
  }
});

// Seen to fail when every read took the output from the current state.
test('while a batch runs, the result of an item never changes, and the counts never shrink', async () => {
  const flaky = addCategory([{ status: 503 }, {}, {}]);
  const items = Array.from({ length: 300 }, (_, index) => (index % 7 === 0 ? { category: flaky } : {}));
  const { id } = await batches.submit({ items });
  const ends = new Map<number, BatchItem>();
  let ended = 0;
  const final = await batches.until(id, (batch) => {
    for (const item of batch.items ?? []) {
      const before = ends.get(item.index);
      if (before) expect(item).toEqual(before);
      else if (item.output || item.failure) ends.set(item.index, item);
    }
    const now = batch.completed + batch.failed;
    expect(now).toBeGreaterThanOrEqual(ended);
    expect(now + batch.running).toBe(300);
    ended = now;
    return batch.finishedAt !== undefined;
  });
  expect(ends.size).toBe(300);
  expect(toCounts([...ends.values()])).toEqual(toCounts(final.items ?? []));
});

describe('pages', () => {
  let id: string;
  const gone = () => ({ category: 'no-such-category' });
  beforeAll(async () => {
    const items = Array.from({ length: 230 }, (_, index) => (index % 50 === 49 ? gone() : {}));
    ({ id } = await batches.submit({ items }));
    await batches.untilEnded(id);
  });

  test('have every item once, in the order of the items', async () => {
    for (const limit of [1_000, 100, 70, 33]) {
      const items = await batches.readAll(id, `limit=${limit}`);
      expect(items.map(({ index }) => index)).toEqual(Array.from({ length: 230 }, (_, index) => index));
    }
    expect((await batches.read(id)).items).toHaveLength(100);
  });

  test('have only the items of the requested status', async () => {
    for (const limit of [1_000, 3]) {
      const failed = await batches.readAll(id, `status=failed&limit=${limit}`);
      expect(failed.map(({ index }) => index)).toEqual([49, 99, 149, 199]);
    }
    expect(await batches.readAll(id, 'status=completed')).toHaveLength(226);
    expect(await batches.readAll(id, 'status=retrying')).toEqual([]);
  });

  test('accept a cursor only for its own batch and filter, and answer a cut or forged one with 400', async () => {
    const { nextCursor = '' } = await batches.read(id, '?limit=10');
    const other = await batches.submit({ count: 50 });
    for (const path of [
      `/batches/${other.id}?cursor=${nextCursor}`,
      `/batches/${id}?status=failed&cursor=${nextCursor}`,
      `/batches/${id}?cursor=${nextCursor.slice(0, -1)}`,
      `/batches/${id}?cursor=MTA`,
    ])
      expectProblem(await holdfast.call('GET', path), 'bad-request');
  });

  test.each(['limit=0', 'limit=1001', 'limit=abc', 'status=open', 'status=failed&status=failed', 'page=2', 'cursor='])(
    '?%s is a 400',
    async (query) => expectProblem(await holdfast.call('GET', `/batches/${id}?${query}`), 'bad-request'),
  );
});

test('without any worker, a batch is accepted and can be read, and its items are queued', async () => {
  const idle = await startHoldfast();
  try {
    const ours = withBatches(idle);
    const { id } = await ours.submit({ count: 150 });
    const batch = await ours.read(id, '?limit=1000');
    expect(batch).toMatchObject({ status: 'running', total: 150, running: 150 });
    expect(batch.items).toEqual(Array.from({ length: 150 }, (_, index) => ({ index, status: 'queued', attempts: 0 })));
    await idle.startWorker();
    expect(await ours.untilEnded(id)).toMatchObject({ completed: 150 });
  } finally {
    await idle.stop();
  }
});

test('progress can be read after the worker has gone in the middle of a batch', async () => {
  const lone = await startHoldfast({ HEARTBEAT_TIMEOUT: '1' });
  try {
    const ours = withBatches(lone);
    const category = randomUUID();
    lone.jokes.rules.add({ when: { category }, then: [{ status: 503 }], repeat: true });
    const worker = await lone.startWorker();
    const { id } = await ours.submit({ items: [...Array(20).fill({}), { category }] });
    await ours.until(id, ({ completed, items }) => completed === 20 && items?.[20]?.status === 'retrying');
    await worker.stop();
    const batch = await ours.read(id);
    expect(batch).toMatchObject({ status: 'running', completed: 20, running: 1 });
    expect(batch.items?.[20]).toMatchObject({ attempts: expect.any(Number), lastFailure: { upstreamStatus: 503 } });
    expect(toCounts(batch.items ?? [])).toEqual({ completed: 20, failed: 0, cancelled: 0 });
  } finally {
    await lone.stop();
  }
});

// Seen to fail when the fingerprint ignored the body, and when the id ignored the key.
test('the same submission under a key is the same batch, and a different one under that key is a 422', async () => {
  const key = { 'idempotency-key': randomUUID() };
  const answers = await Promise.all(Array.from({ length: 20 }, () => batches.post({ count: 3 }, key)));
  expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
  expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true')).toHaveLength(19);
  expectProblem(await batches.post({ count: 4 }, key), 'idempotency-mismatch');
  const { id } = answers[0]?.body ?? {};
  await batches.untilEnded(id);
  expect(holdfast.jokes.ledger().filter(({ taskKey }) => taskKey?.startsWith(`${id}/`))).toHaveLength(3);
  const task = await holdfast.call('POST', '/tasks/fetch-joke', { headers: key });
  expect(task.status).toBe(202);
  expect(task.headers.has('idempotency-replayed')).toBe(false);
});

// Seen to fail without `limitOutput`.
test('an item whose output is over 16 KiB fails and the others keep theirs; a task may have such an output', async () => {
  const category = addCategory([{ body: 'long-joke' }]);
  const { items } = await batches.untilEnded((await batches.submit({ items: [{}, { category }, {}] })).id);
  expect(items?.map(({ status }) => status)).toEqual(['completed', 'failed', 'completed']);
  expect(items?.[1]?.failure).toMatchObject({ type: 'ResponseTooLarge', reason: 'non-retryable' });
  const task = await holdfast.submit({ category });
  expect(await holdfast.until(task.id, isFinished)).toMatchObject({ status: 'completed' });
});

test('the id of a batch is a 404 as a task, a task as a batch, and their parts as either', async () => {
  const task = await holdfast.submit();
  const { id } = await batches.submit({ count: 1 });
  const { body } = await holdfast.call('GET', '/tasks?limit=1000');
  expect(body.items.map((item: { id: string }) => item.id)).not.toContain(id);
  for (const path of [`/batches/${task.id}`, `/tasks/${id}`, `/tasks/${id}~0`, `/batches/${id}~0`, '/batches/unknown'])
    expectProblem(await holdfast.call('GET', path), 'not-found');
  for (const path of [`/tasks/${id}/rerun`, `/tasks/${id}/cancel`, `/batches/${task.id}/cancel`, '/batches/unknown'])
    expectProblem(await holdfast.call('POST', path), 'not-found');
  expectProblem(await holdfast.call('GET', '/batches/fetch-joke'), 'method-not-allowed');
});
