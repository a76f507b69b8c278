import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Holdfast, isFinished, startHoldfast } from '../../../support/holdfast.ts';
import { expectProblem } from '../../../support/problem.ts';

let holdfast: Holdfast;
// This one has the same queue and another policy, as after a deploy.
let later: Holdfast;

beforeAll(async () => {
  holdfast = await startHoldfast({ BASE_DELAY: '0.1', MAX_ATTEMPTS: '2' });
  later = await startHoldfast({ TASK_QUEUE: holdfast.config.taskQueue, MAX_ATTEMPTS: '3' });
  await holdfast.startWorker();
});
afterAll(() => Promise.all([holdfast, later].map((each) => each?.stop())));

const rerun = (id: string, { key, at = holdfast, ...init }: { key?: string; at?: Holdfast } & RequestInit = {}) =>
  at.call('POST', `/tasks/${id}/rerun`, { ...(key && { headers: { 'idempotency-key': key } }), ...init });

// Seen to fail when the new start did not take the input from the memo.
test('a failed task runs again with the same input, as a new task that names the first', async () => {
  const category = randomUUID();
  const first = await holdfast.submit({ category });
  const failed = await holdfast.until(first.id, isFinished);
  expect(failed).toMatchObject({ status: 'failed', attempt: 1 });
  holdfast.jokes.rules.add({ when: { category }, then: [{}], repeat: true });

  const { status, headers, body } = await rerun(first.id);
  expect(status).toBe(202);
  expect(headers.get('location')).toBe(`/tasks/${body.id}`);
  expect(body).toMatchObject({ input: { category }, status: 'queued', rerunOf: first.id });
  expect(body.id).not.toBe(first.id);
  expect(await holdfast.until(body.id, isFinished)).toMatchObject({
    status: 'completed',
    input: { category },
    rerunOf: first.id,
  });
  expect(await holdfast.read(first.id)).toEqual(failed);
});

test('a rerun follows the current policy, not that of the first run', async () => {
  const { id } = await holdfast.submit();
  expect(await holdfast.until(id, isFinished)).toMatchObject({ maxAttempts: 2 });
  expect((await rerun(id, { at: later })).body).toMatchObject({ maxAttempts: 3, rerunOf: id });
});

test('completed tasks, cancelled tasks and reruns can be rerun as well', async () => {
  const { id } = await holdfast.submit();
  await holdfast.until(id, isFinished);
  const again = (await rerun(id)).body;
  await holdfast.until(again.id, isFinished);
  expect(await rerun(again.id)).toMatchObject({ status: 202, body: { rerunOf: again.id } });

  const delayed = (await holdfast.call('POST', '/tasks/fetch-joke?delay=600')).body;
  await holdfast.call('POST', `/tasks/${delayed.id}/cancel`);
  await holdfast.until(delayed.id, isFinished);
  expect(await rerun(delayed.id)).toMatchObject({ status: 202, body: { rerunOf: delayed.id, status: 'queued' } });
});

test('the rerun of an open task is a 409, and the task continues', async () => {
  const { body } = await holdfast.call('POST', '/tasks/fetch-joke?delay=600');
  expectProblem(await rerun(body.id), 'still-open');
  expect(await holdfast.read(body.id)).toMatchObject({ status: 'scheduled' });
  await holdfast.call('POST', `/tasks/${body.id}/cancel`);
});

// Seen to fail when the fingerprint ignored `rerunOf`.
test('reruns under one key are one task, and that key is a 422 for a submission or another rerun', async () => {
  const [one, two] = await Promise.all([holdfast.submit(), holdfast.submit()]);
  await Promise.all([one, two].map(({ id }) => holdfast.until(id, isFinished)));
  const key = randomUUID();
  const answers = await Promise.all([rerun(one.id, { key }), rerun(one.id, { key }), rerun(one.id, { key })]);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
  expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
  expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true')).toHaveLength(2);
  expectProblem(await rerun(two.id, { key }), 'idempotency-mismatch');
  const headers = { 'idempotency-key': key };
  expectProblem(await holdfast.call('POST', '/tasks/fetch-joke', { headers }), 'idempotency-mismatch');
});

test('an unknown id is a 404, and a body or an unknown parameter is an error', async () => {
  const { id } = await holdfast.submit();
  await holdfast.until(id, isFinished);
  expectProblem(await rerun('nope'), 'not-found');
  expectProblem(await rerun(id.replace(/[^_]+$/, randomUUID())), 'not-found');
  const init = { headers: { 'content-type': 'application/json' }, body: '{"category":"dev"}' };
  expectProblem(await rerun(id, init), 'invalid-input');
  expectProblem(await holdfast.call('POST', `/tasks/${id}/rerun?delay=5`), 'bad-request');
});
