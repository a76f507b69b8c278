import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Task } from '../../../../src/api/views/schemas.ts';
import { terminate } from '../../../support/engine.ts';
import { eventually, type Holdfast, isFinished, type RunningWorker, startHoldfast } from '../../../support/holdfast.ts';
import { createStandaloneCommands } from '../../../support/operator.ts';

// What an operator does to a standalone activity. Temporal refuses most of these commands unless the servers have
// `history.enableStandaloneActivityOperatorCommands`.
let holdfast: Holdfast;
let worker: RunningWorker;
beforeAll(async () => {
  const variables = { HEARTBEAT_TIMEOUT: '1', BASE_DELAY: '0.5', MAX_DELAY: '0.5', MAX_ATTEMPTS: '2' };
  holdfast = await startHoldfast({ ...variables, ENGINE: 'activity' });
  worker = await holdfast.startWorker();
});
afterAll(() => holdfast?.stop());

const hang = { hang: 'headers' };
const down = { status: 503 };
const commands = (id: string) => createStandaloneCommands(holdfast, id);

/** Submits a task whose attempts get these answers, and returns it when it has this status. */
async function submitUntil(status: Task['status'], then: object[], attempt = status === 'retrying' ? 2 : 1) {
  const category = randomUUID();
  holdfast.jokes.rules.add({ when: { category }, then, repeat: false });
  const { id } = await holdfast.submit({ category });
  return await holdfast.until(id, (task) => task.status === status && task.attempt === attempt);
}

test('a paused task is running until its attempt ends, then queued until it is resumed', async () => {
  const { id } = await submitUntil('running', [hang, {}]);
  await commands(id).pause();
  expect(await holdfast.read(id)).toMatchObject({ status: 'running', attempt: 1, paused: {} });
  const waiting = await holdfast.until(id, ({ status }) => status !== 'running');
  expect(waiting).toMatchObject({ status: 'queued', attempt: 2, paused: {}, lastFailure: { type: 'ActivityPause' } });
  const { body } = await holdfast.call('GET', '/tasks?status=queued&limit=1000');
  expect(body.items).toContainEqual(expect.objectContaining({ id, status: 'queued' }));
  await commands(id).unpause();
  const ended = await holdfast.until(id, isFinished);
  expect(ended).toMatchObject({ status: 'completed', attempt: 2 });
  expect(ended).not.toHaveProperty('paused');
});

test('a task paused between two attempts has no time of a next attempt until it is resumed', async () => {
  const { id, nextAttemptAt } = await submitUntil('retrying', [down, {}]);
  await commands(id).pause();
  const waiting = await holdfast.read(id);
  expect(waiting).toMatchObject({ status: 'queued', attempt: 2, paused: {}, lastFailure: { upstreamStatus: 503 } });
  expect(waiting).not.toHaveProperty('nextAttemptAt');
  await expect.poll(() => Date.now()).toBeGreaterThan(Date.parse(nextAttemptAt ?? '') + 300);
  expect(await holdfast.read(id)).toEqual(waiting);
  await commands(id).unpause();
  expect(await holdfast.until(id, isFinished)).toMatchObject({ status: 'completed', attempt: 2 });
});

test('a task paused during its last attempt fails when this attempt ends', async () => {
  const { id } = await submitUntil('running', [down, hang], 2);
  await commands(id).pause();
  const failure = { type: 'ActivityPause', reason: 'attempts-exhausted' };
  expect(await holdfast.until(id, isFinished)).toMatchObject({ status: 'failed', attempt: 2, failure });
});

test.each([
  ['terminated', (id: string) => terminate(holdfast, id), { status: 'failed', failure: { reason: 'terminated' } }],
  ['cancelled', (id: string) => holdfast.call('POST', `/tasks/${id}/cancel`), { status: 'cancelled' }],
])('a paused task that is %s shows the attempts that began, and is no longer paused', async (_, end, ended) => {
  const { id } = await submitUntil('running', [hang]);
  await commands(id).pause();
  await holdfast.until(id, ({ status }) => status === 'queued');
  await end(id);
  const task = await holdfast.until(id, isFinished);
  expect(task).toMatchObject({ ...ended, attempt: 1, lastFailure: { type: 'ActivityPause' } });
  expect(task).not.toHaveProperty('paused');
});

test.each([
  ['runs', 'running', [hang, {}]],
  ['waits', 'retrying', [down, {}]],
] as const)('a task that is reset while it %s begins again with attempt 1', async (_, status, then) => {
  const { id } = await submitUntil(status, [...then]);
  await commands(id).reset();
  expect(await holdfast.until(id, isFinished)).toMatchObject({ status: 'completed', attempt: 1, maxAttempts: 2 });
});

test('a task shows the maximum of attempts that an operator sets', async () => {
  const { id } = await submitUntil('retrying', [down, down, down, down]);
  await commands(id).setMaximumAttempts(3);
  expect(await holdfast.read(id)).toMatchObject({ maxAttempts: 3 });
  const failure = { reason: 'attempts-exhausted' };
  expect(await holdfast.until(id, isFinished)).toMatchObject({ attempt: 3, maxAttempts: 3, failure });
});

// Seen to fail with the maximum of the submission.
test('a task shows the maximum that an operator set, also after it was terminated', async () => {
  const { id } = await submitUntil('retrying', [down, down, down]);
  await commands(id).pause();
  await commands(id).setMaximumAttempts(7);
  await terminate(holdfast, id);
  expect(await holdfast.read(id)).toMatchObject({ status: 'failed', attempt: 1, maxAttempts: 7 });
});

test('a task that an operator fails says so, and does not show the reason', async () => {
  const { id } = await submitUntil('running', [hang]);
  await commands(id).fail('see /srv/notes at 10.0.0.1');
  const failure = { type: 'FailedByOperator', message: 'The task was failed by an operator', reason: 'non-retryable' };
  expect(await holdfast.until(id, isFinished)).toMatchObject({ status: 'failed', attempt: 1, failure });
});

test('a task that an operator deletes is not found, and its attempt ends', async () => {
  const { id } = await submitUntil('running', [hang]);
  await commands(id).delete();
  await eventually(
    () => holdfast.call('GET', `/tasks/${id}`),
    ({ status }) => status === 404,
  );
  const lost = () => worker.attempts.filter(({ failureType }) => failureType === 'AttemptLost').length;
  await expect.poll(lost, { timeout: 10_000 }).toBeGreaterThan(0);
});
