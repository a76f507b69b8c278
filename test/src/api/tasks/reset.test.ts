import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TaskSummary } from '../../../../src/api/views/schemas.ts';
import { eventually, type Holdfast, isFinished, startHoldfast } from '../../../support/holdfast.ts';
import { resetToStart } from '../../../support/operator.ts';
import { type SignedIn, signIn, toSecret } from '../../../support/signed-in.ts';

// Two APIs with the same owners on two task queues. `workerless` never has a worker, so its tasks stay queued.
let holdfast: Holdfast;
let workerless: Holdfast;

const names = ['ended', 'open', 'queued', 'foreign'] as const;
const run = randomUUID().slice(0, 8);
const toOwner = (name: (typeof names)[number]) => `reset-${name}-${run}`;
const API_KEYS = names.map((name) => `${toOwner(name)}:${toSecret(toOwner(name))}`).join(',');
const owner = (name: (typeof names)[number], at = holdfast) => signIn(at, toSecret(toOwner(name)));

beforeAll(async () => {
  holdfast = await startHoldfast({ API_KEYS, BASE_DELAY: '60' });
  workerless = await startHoldfast({ API_KEYS });
  await holdfast.startWorker();
});
afterAll(() => Promise.all([holdfast, workerless].map((each) => each?.stop())));

/** Returns the list over all its pages. */
async function list(who: SignedIn, query = ''): Promise<TaskSummary[]> {
  const items: TaskSummary[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const { body } = await who.call('GET', `/tasks?${query}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    items.push(...body.items);
    cursor = body.nextCursor;
  }
  return items;
}

/** Waits until the list shows exactly these tasks. Temporal's list lags behind. */
const expectList = (who: SignedIn, query: string, expected: { id: string; status: string }[]) =>
  eventually(
    async () => (await list(who, query)).map(({ id, status }) => ({ id, status })),
    (shown) => JSON.stringify(shown) === JSON.stringify(expected),
  );

/** From now on, every attempt of this category gets this answer. */
function answer(category: string, behaviour: object) {
  holdfast.jokes.rules.add({ when: { category }, then: [behaviour], repeat: true });
}

// Seen to fail when the list had every run: `completed` and `failed` under one id.
test('a task that an operator reset after its end is listed once, as its current run', async () => {
  const who = owner('ended');
  const category = randomUUID();
  const { id } = await who.submit({ category });
  const other = await who.submit();
  await who.until(id, isFinished);
  await who.until(other.id, isFinished);
  answer(category, { status: 404 });
  await resetToStart(holdfast, id);
  const task = await who.until(id, ({ status }) => status === 'failed');
  expect(task).toMatchObject({ attempt: 1, failure: { upstreamStatus: 404 } });

  const failed = { id, status: 'failed' };
  const completed = { id: other.id, status: 'completed' };
  for (const query of ['', 'limit=1']) await expectList(who, query, [failed, completed]);
  for (const query of ['status=failed', 'status=failed&limit=1']) await expectList(who, query, [failed]);
  await expectList(who, 'status=completed', [completed]);

  // A second reset: two earlier runs have ended.
  answer(category, {});
  await resetToStart(holdfast, id);
  await who.until(id, ({ status }) => status === 'completed');
  for (const query of ['', 'limit=1']) await expectList(who, query, [{ id, status: 'completed' }, completed]);
  await expectList(who, 'status=failed', []);
});

test('a task that runs again after a reset is listed as open only, and its calls concern the current run', async () => {
  const who = owner('open');
  const category = randomUUID();
  const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID() };
  const submit = () => who.call('POST', '/tasks/fetch-joke', { headers, body: JSON.stringify({ category }) });
  const { id } = (await submit()).body;
  await who.until(id, isFinished);
  answer(category, { status: 503 });
  await resetToStart(holdfast, id);
  await who.until(id, ({ status }) => status === 'retrying');
  for (const query of ['', 'limit=1', 'status=open']) await expectList(who, query, [{ id, status: 'open' }]);
  await expectList(who, 'status=retrying', [{ id, status: 'retrying' }]);
  await expectList(who, 'status=completed', []);
  expect(await submit()).toMatchObject({ status: 202, body: { id, status: 'retrying' } });
  expect((await who.call('POST', `/tasks/${id}/rerun`)).status).toBe(409);

  // The reset of an open task ends its run as terminated.
  await resetToStart(holdfast, id);
  await who.until(id, ({ status }) => status === 'retrying');
  await expectList(who, '', [{ id, status: 'open' }]);
  expect((await who.call('POST', `/tasks/${id}/cancel`)).status).toBe(202);
  await who.until(id, ({ status }) => status === 'cancelled');
  await expectList(who, '', [{ id, status: 'cancelled' }]);
});

// Seen to fail when more than four events without a pending activity counted as the end of the activity: `running`.
test('a task is queued until a worker takes it, also after a reset and after a signal', async () => {
  const who = owner('queued');
  const { id } = await who.submit();
  await who.until(id, isFinished);
  const idle = owner('queued', workerless);
  const waiting = await idle.submit();
  await workerless.client.workflow.getHandle(waiting.id).signal('unknown');
  expect(await idle.read(waiting.id)).toMatchObject({ status: 'queued', attempt: 1 });
  const worker = await workerless.startWorker();
  await idle.until(waiting.id, isFinished);
  await worker.stop();
  await resetToStart(workerless, waiting.id);
  expect(await idle.read(waiting.id)).toMatchObject({ status: 'queued', attempt: 1 });
  expect(await idle.read(waiting.id)).not.toHaveProperty('output');
});

test('a foreign workflow whose id has a quote does not break the list', async () => {
  const who = owner('foreign');
  const { id } = await who.submit();
  await who.until(id, isFinished);
  const foreign = await holdfast.client.workflow.start('fetch-joke', {
    workflowId: `${id.split('_')[0]}_fetch-joke_it's`,
    taskQueue: holdfast.config.taskQueue,
    args: [],
  });
  await foreign.terminate();
  await eventually(
    () =>
      holdfast.client.workflow.count(`WorkflowId STARTS_WITH '${id.split('_')[0]}' AND ExecutionStatus != 'Running'`),
    ({ count }) => count === 2,
  );
  await expectList(who, '', [{ id, status: 'completed' }]);
});
