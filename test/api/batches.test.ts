import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Batch } from '../../src/api/batch-schemas.ts';
import { eventually, type Holdfast, startHoldfast } from '../support/holdfast.ts';

let holdfast: Holdfast;

beforeAll(async () => {
  holdfast = await startHoldfast({ BASE_DELAY: '0.2', MAX_ATTEMPTS: '3' });
  await holdfast.startWorker();
});
afterAll(() => holdfast?.stop());

const post = (body: unknown, headers: Record<string, string> = {}) =>
  holdfast.call('POST', '/batches/fetch-joke', {
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
const read = async (id: string, query = ''): Promise<Batch> =>
  (await holdfast.call('GET', `/batches/${id}${query}`)).body;
const untilEnded = (id: string, query = '') =>
  eventually(
    () => read(id, query),
    (batch) => batch.finishedAt !== undefined,
    60_000,
  );

test('answers at once, and every item ends with a joke of its own call', async () => {
  const category = randomUUID();
  holdfast.jokes.rules.add({ when: { category }, then: [{}], repeat: true });
  const { status, headers, body } = await post({ count: 250, input: { category } });
  expect(status).toBe(202);
  expect(headers.get('location')).toBe(`/batches/${body.id}`);
  expect(body).toMatchObject({ name: 'fetch-joke', total: 250, running: 250, completed: 0, status: 'running' });

  const batch = await untilEnded(body.id, '?limit=1000');
  expect(batch).toMatchObject({ status: 'completed', total: 250, completed: 250, failed: 0, cancelled: 0, running: 0 });
  expect(batch.items?.map(({ index }) => index)).toEqual(Array.from({ length: 250 }, (_, index) => index));
  const told = new Map(holdfast.jokes.ledger.list({ category }).map((call) => [call.taskKey, call]));
  expect(told.size).toBe(250);
  for (const { index, status, attempts, output } of batch.items ?? []) {
    expect({ status, attempts }).toEqual({ status: 'completed', attempts: 1 });
    expect(told.get(`${batch.id}/${index}`)).toMatchObject({ jokeId: output?.id, status: 200 });
  }
});
