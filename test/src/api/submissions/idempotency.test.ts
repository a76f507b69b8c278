import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Holdfast, isFinished, startHoldfast } from '../../../support/holdfast.ts';
import { expectProblem } from '../../../support/problem.ts';
import { signIn, toSecret } from '../../../support/signed-in.ts';
import { exchange } from '../../../support/wire.ts';

// Two APIs share one task queue, as two processes of one deployment do. The first has the worker.
let holdfast: Holdfast;
let twin: Holdfast;
// This one has API keys and no worker.
let keyed: Holdfast;

beforeAll(async () => {
  holdfast = await startHoldfast({ BASE_DELAY: '0.1', MAX_ATTEMPTS: '2' });
  twin = await startHoldfast({ TASK_QUEUE: holdfast.config.taskQueue });
  keyed = await startHoldfast({ API_KEYS: `idem-alice:${toSecret('alice')},idem-bob:${toSecret('bob')}` });
  await holdfast.startWorker();
});
afterAll(() => Promise.all([holdfast, twin, keyed].map((each) => each?.stop())));

const submit = (
  key: string,
  { body = {}, query = '', at = holdfast }: { body?: unknown; query?: string; at?: Holdfast } = {},
) =>
  at.call('POST', `/tasks/fetch-joke${query}`, {
    headers: { 'idempotency-key': key, 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

/** Counts the tasks whose input has this category. */
const countTasks = async (category: string) => {
  const { body } = await holdfast.call('GET', '/tasks?limit=1000');
  return body.items.filter(({ input }: { input: { category?: string } }) => input.category === category).length;
};

// Seen to fail when `createTaskId` ignored the key.
test('a second submission under a key is answered with the first task and marked as a replay', async () => {
  const key = randomUUID();
  const first = await submit(key);
  expect(first.status).toBe(202);
  expect(first.headers.has('idempotency-replayed')).toBe(false);
  const second = await submit(key);
  expect(second).toMatchObject({ status: 202, body: { id: first.body.id, submittedAt: first.body.submittedAt } });
  expect(second.headers.get('idempotency-replayed')).toBe('true');
  expect(second.headers.get('location')).toBe(`/tasks/${first.body.id}`);
});

test('a replay shows the current state of the task, also when it has ended', async () => {
  const key = randomUUID();
  const { id } = (await submit(key)).body;
  const task = await holdfast.until(id, isFinished);
  const replayed = await submit(key);
  expect(replayed).toMatchObject({ status: 202, body: task });
  expect(holdfast.jokes.ledger({ taskKey: id })).toHaveLength(1);
});

test('a different order of members, blanks or a missing body do not make a different submission', async () => {
  const empty = randomUUID();
  const none = await holdfast.call('POST', '/tasks/fetch-joke', { headers: { 'idempotency-key': empty } });
  expect((await submit(empty, { body: ' { } ' })).body.id).toBe(none.body.id);
  const named = randomUUID();
  const first = await submit(named, { body: '{"category":"dev"}' });
  expect((await submit(named, { body: '{\n  "category" : "\\u0064ev"\n}' })).body.id).toBe(first.body.id);
});

// Seen to fail when the fingerprint ignored the delay, and when it ignored everything.
test('another body or delay under a key is a 422, and the first task stays unchanged', async () => {
  const key = randomUUID();
  const { body: first } = await submit(key, { body: { category: 'no-such-category' } });
  const before = await holdfast.until(first.id, isFinished);
  for (const other of [
    { body: {} },
    { body: { category: 'dev' } },
    { body: { category: 'no-such-category' }, query: '?delay=5' },
  ])
    expectProblem(await submit(key, other), 'idempotency-mismatch');
  expect(await holdfast.read(first.id)).toEqual(before);
});

test('an input that does not fit its schema is reported before any conflict of its key', async () => {
  const key = randomUUID();
  await submit(key);
  expectProblem(await submit(key, { body: { status: 'completed' } }), 'invalid-input');
});

// Seen to fail with the conflict policy USE_EXISTING, which answers every submission as if it were the first.
test('100 simultaneous submissions under one key to two APIs are one task: one accepted, 99 replayed', async () => {
  const key = randomUUID();
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, index) => submit(key, { at: index % 2 ? twin : holdfast })),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
  expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
  expect(answers.filter(({ headers }) => headers.has('idempotency-replayed'))).toHaveLength(99);
  const [answer] = answers;
  await holdfast.until(answer?.body.id, isFinished);
  expect(holdfast.jokes.ledger({ taskKey: answer?.body.id })).toHaveLength(1);
});

test('with two bodies at once under one key, one becomes the task and the other is always a 422', async () => {
  const key = randomUUID();
  const categories = [randomUUID(), randomUUID()];
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      submit(key, { body: { category: categories[index % 2] }, at: index % 3 ? twin : holdfast }),
    ),
  );
  const accepted = answers.filter(({ status }) => status === 202);
  const refused = answers.filter(({ status }) => status === 422);
  expect([accepted.length, refused.length]).toEqual([20, 20]);
  expect(new Set(accepted.map(({ body }) => body.id)).size).toBe(1);
  await holdfast.until(accepted[0]?.body.id, isFinished);
  const counts = await Promise.all(categories.map(countTasks));
  expect(counts.sort()).toEqual([0, 1]);
});

test('two owners can use the same key for two tasks', async () => {
  const key = randomUUID();
  const call = (owner: string) =>
    signIn(keyed, toSecret(owner)).call('POST', '/tasks/fetch-joke', { headers: { 'idempotency-key': key } });
  const [alice, bob] = await Promise.all([call('alice'), call('bob')]);
  expect([alice.status, bob.status]).toEqual([202, 202]);
  expect(alice.body.id).not.toBe(bob.body.id);
  for (const { headers } of [alice, bob]) expect(headers.has('idempotency-replayed')).toBe(false);
});

test("the answer says how long the key is kept at least: the namespace's retention after the task's end", async () => {
  const { config } = await holdfast.client.workflowService.describeNamespace({
    namespace: holdfast.config.temporal.namespace,
  });
  const retentionMs = Number(config?.workflowExecutionRetentionTtl?.seconds) * 1_000;
  const key = randomUUID();
  const before = Date.now();
  const first = await submit(key);
  const openUntil = Date.parse(first.headers.get('idempotency-expires') ?? '');
  expect(openUntil).toBeGreaterThanOrEqual(before + retentionMs);
  expect(openUntil).toBeLessThanOrEqual(Date.now() + retentionMs);
  const { finishedAt } = await holdfast.until(first.body.id, isFinished);
  const replayed = await submit(key);
  expect(replayed.headers.get('idempotency-expires')).toBe(
    new Date(Date.parse(finishedAt ?? '') + retentionMs).toISOString(),
  );
  expect((await holdfast.call('POST', '/tasks/fetch-joke')).headers.has('idempotency-expires')).toBe(false);
});

const refused: [string, string][] = [
  ['empty', ''],
  ['longer than 255 characters', 'k'.repeat(256)],
  ['with a blank', 'a b'],
  ['with a tab', 'a\tb'],
  ['with a control character', 'a\x01b'],
  ['beyond ASCII', 'schlüssel'],
];

test.each(refused)('a key %s is a 400 that starts nothing', async (_, key) => {
  const category = randomUUID();
  const body = JSON.stringify({ category });
  const head = `POST /tasks/fetch-joke HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`;
  const [answer] = await exchange(
    holdfast.url,
    Buffer.from(`${head}Content-Length: ${body.length}\r\nConnection: close\r\nIdempotency-Key: ${key}\r\n\r\n${body}`),
  );
  if (!answer) throw new Error('no answer');
  expectProblem(answer, 'bad-request');
  expect(await countTasks(category)).toBe(0);
});

test('a key of 255 characters is accepted, and two keys in one request are refused', async () => {
  expect((await submit('k'.repeat(255))).status).toBe(202);
  const head = 'POST /tasks/fetch-joke HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n';
  for (const other of ['one', 'two']) {
    const [answer] = await exchange(holdfast.url, `${head}Idempotency-Key: one\r\nidempotency-key: ${other}\r\n\r\n`);
    if (!answer) throw new Error('no answer');
    expectProblem(answer, 'bad-request');
  }
});
