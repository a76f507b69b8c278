import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Task } from '../../../../src/api/views/schemas.ts';
import { cancelledWithoutWorker, engine, terminate } from '../../../support/engine.ts';
import { eventually, type Holdfast, isFinished, startHoldfast } from '../../../support/holdfast.ts';
import { expectProblem } from '../../../support/problem.ts';

// Each test has its own tasks, so the tests can wait at the same time.
const test = it.concurrent;

// Three task queues: with a worker, without any, and with attempts that learn of a cancellation after about a second.
let holdfast: Holdfast;
let workerless: Holdfast;
let impatient: Holdfast;

beforeAll(async () => {
  holdfast = await startHoldfast({ BASE_DELAY: '1', MAX_ATTEMPTS: '3', MAX_DELAY: '60' });
  workerless = await startHoldfast();
  impatient = await startHoldfast({ JOB_TIMEOUT: '20', HEARTBEAT_TIMEOUT: '3', BASE_DELAY: '0.1', MAX_ATTEMPTS: '2' });
  await Promise.all([holdfast.startWorker(), impatient.startWorker()]);
});
afterAll(() => Promise.all([holdfast, workerless, impatient].map((each) => each?.stop())));

const json = (body: unknown) => ({ headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
const cancel = ({ id }: Task, at = holdfast) => at.call('POST', `/tasks/${id}/cancel`);
const is = (status: Task['status']) => (task: Task) => task.status === status;

/** Answers each task of this category with the behaviours of `then` in order. The last one repeats. */
const script = (category: string, then: Parameters<Holdfast['jokes']['rules']['add']>[0]['then'], at = holdfast) =>
  at.jokes.rules.add({ when: { category }, then, repeat: true });

// Seen to fail without the Location header.
test('a POST with no body and no content type answers 202 at once, and the task ends with a joke', async () => {
  const { status, headers, body } = await holdfast.call('POST', '/tasks/fetch-joke');
  expect(status).toBe(202);
  expect(headers.get('location')).toBe(`/tasks/${body.id}`);
  expect(body).toMatchObject({ name: 'fetch-joke', input: {}, status: 'queued', attempt: 1, maxAttempts: 3 });
  const task = await holdfast.until(body.id, isFinished);
  expect(task).toMatchObject({
    status: 'completed',
    attempt: 1,
    submittedAt: body.submittedAt,
    output: { id: expect.any(String), joke: expect.any(String), url: expect.any(String) },
    links: { self: `/tasks/${body.id}` },
  });
  expect(Date.parse(task.finishedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(task.submittedAt));
  expect(task).not.toHaveProperty('failure');
  expect(task).not.toHaveProperty('lastFailure');
  expect(task).not.toHaveProperty('nextAttemptAt');
  expect(task.links).not.toHaveProperty('cancel');
  const [call] = holdfast.jokes.ledger({ taskKey: task.id });
  expect(call).toMatchObject({ attempt: 1, status: 200, outcome: 'answered' });
});

test('an empty object is the same as no body, and a JSON body reaches the upstream', async () => {
  const empty = await holdfast.call('POST', '/tasks/fetch-joke', json({}));
  expect(empty).toMatchObject({ status: 202, body: { input: {}, status: 'queued' } });

  script('cuckoo clocks & co', [{}]);
  const named = await holdfast.call('POST', '/tasks/fetch-joke', json({ category: 'cuckoo clocks & co' }));
  expect(named).toMatchObject({ status: 202, body: { input: { category: 'cuckoo clocks & co' } } });
  const task = await holdfast.until(named.body.id, isFinished);
  expect(task).toMatchObject({ status: 'completed', input: { category: 'cuckoo clocks & co' } });
  expect(holdfast.jokes.ledger({ taskKey: task.id })).toMatchObject([{ category: 'cuckoo clocks & co' }]);
});

test('the Location of a 202 gives the same task at once, before any worker takes it', async () => {
  const { headers, body } = await workerless.call('POST', '/tasks/fetch-joke', json({ category: 'dev' }));
  const read = await workerless.call('GET', headers.get('location') ?? '');
  expect(read).toMatchObject({ status: 200, body });
  expect(read.body.links).toEqual({
    self: `/tasks/${body.id}`,
    cancel: `/tasks/${body.id}/cancel`,
    events: `/tasks/${body.id}/events`,
  });
});

// Seen to fail when `readOpen` gave the last attempt instead of the next one.
test('a failed attempt shows as retrying, with the next attempt, its future time and the last failure', async () => {
  script('retry-later', [{ status: 503 }]);
  const { id } = await holdfast.submit({ category: 'retry-later' });
  for (const attempt of [2, 3]) {
    const task = await holdfast.until(id, (seen) => seen.status === 'retrying' && seen.attempt === attempt);
    expect(task).toMatchObject({
      attempt,
      maxAttempts: 3,
      lastFailure: { type: 'UpstreamUnavailable', message: 'HTTP 503', upstreamStatus: 503 },
      links: { cancel: `/tasks/${id}/cancel` },
    });
    expect(Date.parse(task.nextAttemptAt ?? '')).toBeGreaterThan(Date.now() - 250);
    expect(task).not.toHaveProperty('finishedAt');
  }
});

test('a task completed after a retry keeps the number of its last attempt and the failure before it', async () => {
  script('fails-once', [{ status: 500 }, {}]);
  const { id } = await holdfast.submit({ category: 'fails-once' });
  expect(await holdfast.until(id, isFinished)).toMatchObject({
    status: 'completed',
    attempt: 2,
    lastFailure: { type: 'UpstreamUnavailable', message: 'HTTP 500', upstreamStatus: 500 },
    output: { joke: expect.any(String) },
  });
});

// Seen to fail when `toReason` treated every retry state as non-retryable.
test('a task whose attempts are used up fails as attempts-exhausted, with its last failure', async () => {
  script('always-502', [{ status: 500 }, { status: 502 }]);
  const { id } = await holdfast.submit({ category: 'always-502' });
  const last = { type: 'UpstreamUnavailable', message: 'HTTP 502', upstreamStatus: 502 };
  expect(await holdfast.until(id, isFinished)).toMatchObject({
    status: 'failed',
    attempt: 3,
    lastFailure: last,
    failure: { ...last, reason: 'attempts-exhausted' },
  });
  expect(holdfast.jokes.ledger({ taskKey: id })).toHaveLength(3);
});

test('a final failure ends the task on its first attempt', async () => {
  const { id } = await holdfast.submit({ category: 'no-such-category' });
  const failure = { type: 'UpstreamRejected', message: 'HTTP 404', upstreamStatus: 404 };
  expect(await holdfast.until(id, isFinished)).toMatchObject({
    status: 'failed',
    attempt: 1,
    lastFailure: failure,
    failure: { ...failure, reason: 'non-retryable' },
  });
  expect(holdfast.jokes.ledger({ taskKey: id })).toHaveLength(1);
});

// Does not run beside the other tests: its attempts have only three seconds each.
it('attempts that outlive their time fail as UpstreamTimeout, until they are used up', async () => {
  const hurried = await startHoldfast({ JOB_TIMEOUT: '3', BASE_DELAY: '0.1', MAX_ATTEMPTS: '2' });
  try {
    await hurried.startWorker();
    script('hangs-always', [{ hang: 'headers' }], hurried);
    const { id } = await hurried.submit({ category: 'hangs-always' });
    expect(await hurried.until(id, isFinished)).toMatchObject({
      status: 'failed',
      attempt: 2,
      failure: { type: 'UpstreamTimeout', reason: 'attempts-exhausted' },
    });
  } finally {
    await hurried.stop();
  }
});

test('a Retry-After longer than the policy’s wait moves nextAttemptAt', async () => {
  script('come-back-later', [{ status: 429, retryAfter: '40' }]);
  const { id } = await holdfast.submit({ category: 'come-back-later' });
  const task = await holdfast.until(id, is('retrying'));
  expect(task).toMatchObject({ attempt: 2, lastFailure: { type: 'UpstreamRateLimited', upstreamStatus: 429 } });
  const [call] = holdfast.jokes.ledger({ taskKey: id });
  const waitMs = Date.parse(task.nextAttemptAt ?? '') - (call?.endedAt ?? 0);
  expect(waitMs).toBeGreaterThan(39_000);
  expect(waitMs).toBeLessThan(45_000);
  await cancel(task);
});

test('an attempt that waits for the upstream shows as running', async () => {
  script('hangs', [{ hang: 'headers' }], impatient);
  const { id } = await impatient.submit({ category: 'hangs' });
  const task = await impatient.until(id, is('running'));
  expect(task).toMatchObject({ attempt: 1, maxAttempts: 2 });
  expect(task).not.toHaveProperty('nextAttemptAt');
  await cancel(task, impatient);
});

// Seen to fail without terminated executions in `closedStatuses`, and without `readAbandoned`.
test('a task that an operator terminates between attempts has failed as terminated, and keeps its last attempt', async () => {
  script('terminate-me', [{ status: 500 }, { status: 503, retryAfter: '50' }]);
  const { id } = await holdfast.submit({ category: 'terminate-me' });
  await holdfast.until(id, ({ status, attempt }) => status === 'retrying' && attempt === 3);
  await terminate(holdfast, id, 'by hand, with words of its own');
  const task = await holdfast.read(id);
  expect(task).toMatchObject({
    status: 'failed',
    attempt: 2,
    lastFailure: { type: 'UpstreamUnavailable', message: 'HTTP 503', upstreamStatus: 503 },
    failure: { type: 'Terminated', message: 'The task was terminated by an operator', reason: 'terminated' },
    finishedAt: expect.any(String),
  });
  expect(task).not.toHaveProperty('nextAttemptAt');
  expect(JSON.stringify(task)).not.toContain('words of its own');
});

test('a task that an operator terminates in mid-attempt has failed in that attempt', async () => {
  script('terminate-running', [{ status: 500 }, { hang: 'headers' }], impatient);
  const { id } = await impatient.submit({ category: 'terminate-running' });
  await impatient.until(id, ({ status, attempt }) => status === 'running' && attempt === 2);
  await terminate(impatient, id);
  expect(await impatient.read(id)).toMatchObject({
    status: 'failed',
    attempt: 2,
    lastFailure: { message: 'HTTP 500' },
    failure: { reason: 'terminated' },
  });
});

it('a task that outlives a run timeout has failed as timed-out', async () => {
  const { id } = await workerless.submit();
  const timed = id.replace(/_(activity_)?[^_]+$/, '_with-a-run-timeout');
  await workerless.client.workflow.start('fetch-joke', {
    workflowId: timed,
    taskQueue: workerless.config.taskQueue,
    workflowRunTimeout: 1_000,
    args: [],
    memo: { input: {}, maxAttempts: 5, submittedAt: new Date().toISOString() },
  });
  expect(await workerless.until(timed, isFinished)).toMatchObject({
    status: 'failed',
    attempt: 1,
    failure: { type: 'TemporalTimeout:Workflow', reason: 'timed-out' },
  });
});

test('without any worker, a task is queued and can be read and cancelled', async () => {
  const task = await workerless.submit({ category: 'dev' });
  expect(await workerless.read(task.id)).toMatchObject({ status: 'queued', attempt: 1, input: { category: 'dev' } });
  const answer = await cancel(task, workerless);
  expect(answer).toMatchObject({ status: 202, body: { id: task.id, status: cancelledWithoutWorker, attempt: 1 } });
  expect(await workerless.read(task.id)).toMatchObject({ status: cancelledWithoutWorker });
});

// Seen to fail when every pending activity showed as running.
test('completed, failed, retrying, queued and cancelled tasks read the same after the last worker has gone', async () => {
  const own = await startHoldfast({ BASE_DELAY: '1', MAX_ATTEMPTS: '5', JITTER: '0' });
  try {
    const worker = await own.startWorker();
    script('dies-in-backoff', [{ status: 503, retryAfter: '60' }], own);
    script('due-without-worker', [{ status: 503, retryAfter: '4' }], own);
    script('twice', [{ status: 500 }, {}], own);
    const submit = async (category: string) => (await own.submit({ category })).id;
    const [completed, failed, retrying, due, cancelled] = await Promise.all(
      ['twice', 'none-such', 'dies-in-backoff', 'due-without-worker', 'dies-in-backoff'].map(submit),
    );
    const ids = [completed, failed, retrying, cancelled].map(String);
    await own.until(String(cancelled), is('retrying'));
    await own.call('POST', `/tasks/${cancelled}/cancel`);
    await Promise.all([
      ...[completed, failed, cancelled].map((id) => own.until(String(id), isFinished)),
      ...[retrying, due].map((id) => own.until(String(id), (task) => task.attempt === 2)),
    ]);
    const before = await Promise.all(ids.map((id) => own.read(id)));
    await worker.stop();
    const after = await Promise.all(ids.map((id) => own.read(id)));

    expect(after).toEqual(before);
    expect(after.map(({ status }) => status)).toEqual(['completed', 'failed', 'retrying', 'cancelled']);
    expect(after.map(({ attempt }) => attempt)).toEqual([2, 1, 2, 1]);
    const queued = await own.until(String(due), is('queued'));
    expect(queued).toMatchObject({ attempt: 2, lastFailure: { message: 'HTTP 503' } });
    expect(queued).not.toHaveProperty('nextAttemptAt');
    expect((await own.call('POST', `/tasks/${retrying}/cancel`)).status).toBe(202);
  } finally {
    await own.stop();
  }
});

test('a task cancelled before any worker takes it ends as cancelled without a call to the upstream', async () => {
  const own = await startHoldfast();
  try {
    const { id } = await own.submit();
    expect((await own.call('POST', `/tasks/${id}/cancel`)).status).toBe(202);
    await own.startWorker();
    const task = await own.until(id, isFinished);
    expect(task).toMatchObject({ status: 'cancelled', attempt: 1 });
    expect(task).not.toHaveProperty('failure');
    expect(own.jokes.ledger()).toEqual([]);
  } finally {
    await own.stop();
  }
});

// Seen to fail when the cancellation had no reason: the server had forgotten the attempt and its failure.
test('a task cancelled between attempts ends as cancelled, and keeps its last attempt and failure', async () => {
  script('cancel-in-backoff', [{ status: 500 }, { status: 503, retryAfter: '50' }]);
  const { id } = await holdfast.submit({ category: 'cancel-in-backoff' });
  await holdfast.until(id, (task) => task.status === 'retrying' && task.attempt === 3);
  const { status } = await holdfast.call('POST', `/tasks/${id}/cancel`);
  expect(status).toBe(202);
  const task = await holdfast.until(id, isFinished);
  expect(task).toMatchObject({
    status: 'cancelled',
    attempt: 2,
    lastFailure: { type: 'UpstreamUnavailable', message: 'HTTP 503', upstreamStatus: 503 },
  });
  expect(task).not.toHaveProperty('failure');
  expect(holdfast.jokes.ledger({ taskKey: id })).toHaveLength(2);
});

test('a task cancelled twice between attempts, without any worker, still has its last attempt', async () => {
  const own = await startHoldfast({ BASE_DELAY: '60' });
  try {
    const worker = await own.startWorker();
    script('fails', [{ status: 503 }], own);
    const { id } = await own.submit({ category: 'fails' });
    await own.until(id, is('retrying'));
    await worker.stop();
    expect((await own.call('POST', `/tasks/${id}/cancel`)).status).toBe(202);
    expect((await own.call('POST', `/tasks/${id}/cancel`)).status).toBe(202);
    expect(await own.read(id)).toMatchObject({ status: cancelledWithoutWorker });
    await own.startWorker();
    expect(await own.until(id, isFinished)).toMatchObject({
      status: 'cancelled',
      attempt: 1,
      lastFailure: { message: 'HTTP 503' },
    });
  } finally {
    await own.stop();
  }
});

// Seen to fail with Temporal's default cancellation type: the task was cancelled while the attempt still ran.
test('a running attempt learns of the cancellation, and the task ends as cancelled once the attempt has stopped', async () => {
  script('cancel-me', [{ status: 500 }, { hang: 'headers' }], impatient);
  const { id } = await impatient.submit({ category: 'cancel-me' });
  await impatient.until(id, (task) => task.status === 'running' && task.attempt === 2);
  const { status, body } = await impatient.call('POST', `/tasks/${id}/cancel`);
  expect(status).toBe(202);
  expect(['cancelling', 'cancelled']).toContain(body.status);
  const task = await impatient.until(id, isFinished);
  expect(task).toMatchObject({ status: 'cancelled', attempt: 2, lastFailure: { message: 'HTTP 500' } });
  const calls = await eventually(
    () => impatient.jokes.ledger({ taskKey: id }),
    (entries) => entries.every(({ endedAt }) => endedAt !== null),
  );
  expect(calls.at(-1)).toMatchObject({ attempt: 2, outcome: 'hung' });
  // A workflow needs this process to end. An activity ends in the server, even while this process is busy.
  const slackMs = engine === 'activity' ? 1_500 : 250;
  expect(calls.at(-1)?.endedAt).toBeLessThanOrEqual(Date.parse(task.finishedAt ?? '') + slackMs);
});

// Seen to fail when the workflow rethrew every error of its activity.
// The one difference between the engines that docs/engines.md names.
const endOfLateCancellation =
  engine === 'activity'
    ? { status: 'failed', failure: { type: 'UpstreamRejected', reason: 'non-retryable' } }
    : { status: 'cancelled' };

test(`a task whose attempt fails before it learns of a cancellation ends as ${endOfLateCancellation.status}`, async () => {
  script('fails-meanwhile', [{ delayMs: 600, status: 404 }], impatient);
  // On a busy machine, the attempt may fail before the cancellation is requested.
  const cancelRunning = async () => {
    const { id } = await impatient.submit({ category: 'fails-meanwhile' });
    await impatient.until(id, (task) => task.status === 'running' || isFinished(task));
    return { id, status: (await impatient.call('POST', `/tasks/${id}/cancel`)).status };
  };
  const { id } = await eventually(cancelRunning, ({ status }) => status === 202);
  expect(await impatient.until(id, isFinished)).toMatchObject({ ...endOfLateCancellation, attempt: 1 });
});

test('cancelling a cancelled task again answers 202 and changes nothing', async () => {
  const task = await workerless.submit();
  expect((await cancel(task, workerless)).status).toBe(202);
  expect((await cancel(task, workerless)).status).toBe(202);

  script('cancel-twice', [{ status: 503, retryAfter: '50' }]);
  const { id } = await holdfast.submit({ category: 'cancel-twice' });
  await holdfast.until(id, is('retrying'));
  await holdfast.call('POST', `/tasks/${id}/cancel`);
  const cancelled = await holdfast.until(id, isFinished);
  expect(await holdfast.call('POST', `/tasks/${id}/cancel`)).toMatchObject({ status: 202, body: cancelled });
  expect(await holdfast.read(id)).toEqual(cancelled);
});

// Seen to fail when every state gave a 202: Temporal accepts such a cancellation.
test('cancelling a finished task answers 409 and changes nothing', async () => {
  for (const input of [{}, { category: 'no-such-category' }]) {
    const { id } = await holdfast.submit(input);
    const before = await holdfast.until(id, isFinished);
    expectProblem(await holdfast.call('POST', `/tasks/${id}/cancel`), 'already-finished');
    expect(await holdfast.read(id)).toEqual(before);
  }
});

// Seen to fail when `toTaskName` ignored the owner's prefix.
test("reading or cancelling an unknown id, another owner's or a foreign workflow's is a 404", async () => {
  const { id } = await workerless.submit();
  const [owner = '', name] = id.split('_');
  const foreign = `${'0'.repeat(owner.length)}_${name}_${id.split('_').at(-1)}`;
  const start = { taskQueue: workerless.config.taskQueue, args: [] };
  await workerless.client.workflow.start('fetch-joke', { ...start, workflowId: foreign });
  // Their ids look like ours, but we did not start them: one has another type, and one has no memo.
  const [other, bare] = [`${owner}_${name}_other-type`, `${owner}_${name}_no-memo`];
  await workerless.client.workflow.start('other-type', { ...start, workflowId: other });
  await workerless.client.workflow.start('fetch-joke', { ...start, workflowId: bare });
  const ids = [
    `${owner}_${name}_00000000-0000-4000-8000-000000000000`,
    `${owner}_other-task_00000000-0000-4000-8000-000000000000`,
    `${id}_more`,
    id.toUpperCase(),
    foreign,
    other,
    bare,
    'temporal-sys-scheduler:nightly',
    'temporal-sys-history-scanner',
    'nope',
  ];
  for (const unknown of ids) {
    expectProblem(await workerless.call('GET', `/tasks/${unknown}`), 'not-found');
    expectProblem(await workerless.call('POST', `/tasks/${unknown}/cancel`), 'not-found');
  }
  const { status } = await workerless.client.workflow.getHandle(foreign).describe();
  expect(status.name).toBe('RUNNING');
  expect(await workerless.read(id)).toMatchObject({ status: 'queued' });
});

test('a submission to an unknown task is a 404 that lists the known ones', async () => {
  const answer = await holdfast.call('POST', '/tasks/fetch-jokes');
  expect(expectProblem(answer, 'not-found').detail).toContain('fetch-joke');
});
