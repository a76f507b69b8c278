import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { parsePreferredWait } from '../../../../src/api/watch/wait.ts';
import { toActivityOptions } from '../../../../src/policy.ts';
import { engine, rpcs, terminate } from '../../../support/engine.ts';
import { eventually, type Holdfast, startHoldfast } from '../../../support/holdfast.ts';
import { resetToStart } from '../../../support/operator.ts';
import { expectProblem } from '../../../support/problem.ts';
import { toSecret } from '../../../support/signed-in.ts';

// `holdfast` has a worker, and `workerless` never has one.
let holdfast: Holdfast;
let workerless: Holdfast;

beforeAll(async () => {
  holdfast = await startHoldfast({ BASE_DELAY: '1', MAX_ATTEMPTS: '2' });
  workerless = await startHoldfast();
  await holdfast.startWorker();
});
afterAll(() => Promise.all([holdfast, workerless].map((each) => each?.stop())));

const post = (query: string, headers: Record<string, string> = {}, at = holdfast, body?: unknown) =>
  at.call('POST', `/tasks/fetch-joke${query}`, {
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });

/** Returns the answer and how long the call took. */
async function timed<T>(call: Promise<T>) {
  const started = performance.now();
  return { answer: await call, ms: performance.now() - started };
}

// Seen to fail when the API did not wait, and when it answered every wait with 202.
test('a waiting call gets the finished task in one answer: completed, or failed after its retries', async () => {
  const { answer, ms } = await timed(post('?wait=20'));
  expect(answer).toMatchObject({ status: 200, body: { status: 'completed', output: { joke: expect.any(String) } } });
  expect(answer.headers.get('location')).toBe(`/tasks/${answer.body.id}`);
  expect(answer.headers.has('preference-applied')).toBe(false);
  expect(ms).toBeLessThan(10_000);
  expect(await holdfast.read(answer.body.id)).toEqual(answer.body);

  holdfast.jokes.rules.add({ when: { category: 'fails' }, then: [{ status: 503 }], repeat: true });
  expect(await post('?wait=20.5', {}, holdfast, { category: 'fails' })).toMatchObject({
    status: 200,
    body: { status: 'failed', attempt: 2, failure: { reason: 'attempts-exhausted' } },
  });
});

// Seen to fail when `Prefer` was not read, and when it won over the query.
test('Prefer: wait is honoured and confirmed, and the query wins over it', async () => {
  const preferred = await post('', { prefer: 'respond-async, Wait="20"' });
  expect(preferred).toMatchObject({ status: 200, body: { status: 'completed' } });
  expect(preferred.headers.get('preference-applied')).toBe('wait=20');

  const { answer, ms } = await timed(post('?wait=0', { prefer: 'wait=20' }, workerless));
  expect(answer.status).toBe(202);
  expect(answer.headers.has('preference-applied')).toBe(false);
  expect(ms).toBeLessThan(5_000);
  for (const prefer of ['respond-async', 'wait', 'wait=soon', 'wait=-1', 'wait=1.5', 'handling=strict; wait=9']) {
    const ignored = await post('', { prefer }, workerless);
    expect({ prefer, status: ignored.status }).toEqual({ prefer, status: 202 });
    expect(ignored.headers.has('preference-applied')).toBe(false);
  }
});

// Seen to fail when the answer had the state at acceptance.
test('a wait that runs out is a 202 with the current state, and the reads stop', async () => {
  holdfast.jokes.rules.add({ when: { category: 'hangs' }, then: [{ hang: 'headers' }], repeat: true });
  const describes = vi.spyOn(holdfast.client.workflowService, rpcs.describe);
  const { answer, ms } = await timed(post('?wait=1.5', {}, holdfast, { category: 'hangs' }));
  expect(answer).toMatchObject({ status: 202, body: { status: 'running' } });
  expect(answer.headers.get('location')).toBe(`/tasks/${answer.body.id}`);
  expect(ms).toBeGreaterThan(1_490);
  expect(ms).toBeLessThan(4_000);
  expect(describes.mock.calls.length).toBeGreaterThan(0);
  const reads = describes.mock.calls.length;
  await Promise.all([1, 2, 3].map(() => post('?wait=0.5', {}, workerless)));
  expect(describes.mock.calls.length).toBe(reads);
  describes.mockRestore();
  await holdfast.call('POST', `/tasks/${answer.body.id}/cancel`);
});

// Seen to fail when the value was given to `Number` alone.
test('a wait that is not a number from 0 to 60 is a 400 that names it and starts nothing', async () => {
  const { body } = await post('', {}, workerless);
  const starts = vi.spyOn(workerless.client.workflowService, rpcs.start);
  for (const wait of [
    '',
    '-1',
    '+1',
    '61',
    '60.1',
    '1e1',
    '0x1',
    'soon',
    '1s',
    '1.',
    '.5',
    '%201',
    'Infinity',
    '9'.repeat(400),
  ]) {
    const answer = await post(`?wait=${wait}`, {}, workerless);
    expect(expectProblem(answer, 'bad-request').errors).toEqual([
      { pointer: '#/wait', detail: 'must be a number of seconds from 0 to 60' },
    ]);
  }
  expectProblem(await post('?wait=1&wait=2', {}, workerless), 'bad-request');
  expectProblem(await workerless.call('POST', `/tasks/${body.id}/rerun?wait=61`), 'bad-request');
  expect(starts).not.toHaveBeenCalled();
  starts.mockRestore();
});

// Seen to fail when a rerun ignored its `wait`.
test('reruns and replays can wait as well', async () => {
  const headers = { 'idempotency-key': 'wait-for-me' };
  const first = await post('', headers);
  expect(first.status).toBe(202);
  const second = await post('?wait=20', headers);
  expect(second).toMatchObject({ status: 200, body: { id: first.body.id, status: 'completed' } });
  expect(second.headers.get('idempotency-replayed')).toBe('true');
  expect((await post('', headers)).status).toBe(202);

  const path = `/tasks/${first.body.id}/rerun`;
  const rerun = await holdfast.call('POST', `${path}?wait=20`);
  expect(rerun).toMatchObject({ status: 200, body: { rerunOf: first.body.id, status: 'completed' } });
  const preferred = await holdfast.call('POST', path, { headers: { prefer: 'wait=20' } });
  expect(preferred.status).toBe(200);
  expect(preferred.headers.get('preference-applied')).toBe('wait=20');
});

/** Counts the RPCs of a Holdfast that read tasks, from now on. */
function countReads({ client: { workflowService } }: Holdfast) {
  const describes = vi.spyOn(workflowService, rpcs.describe);
  const histories = vi.spyOn(workflowService, rpcs.poll);
  // Each call about the end of an activity is a long poll.
  const isLongPoll = (index: number) =>
    engine === 'activity' ||
    (histories.mock.calls[index]?.[0] as { waitNewEvent?: boolean } | undefined)?.waitNewEvent === true;
  return {
    describes: () => describes.mock.calls.length,
    longPolls: () => histories.mock.calls.filter((_, index) => isLongPoll(index)).length,
    openLongPolls: () =>
      histories.mock.settledResults.filter(({ type }, index) => type === 'incomplete' && isLongPoll(index)).length,
    all: () => describes.mock.calls.length + histories.mock.calls.length,
  };
}

// Seen to fail when the wait continued after its caller had gone, and when only its long poll did.
test('a caller that goes away ends its wait', async () => {
  const own = await startHoldfast();
  try {
    const reads = countReads(own);
    const leaving = new AbortController();
    const call = fetch(`${own.url}/tasks/fetch-joke?wait=60`, { method: 'POST', signal: leaving.signal });
    const left = expect(call).rejects.toThrow();
    await eventually(reads.openLongPolls, (open) => open === 1);
    leaving.abort();
    await left;
    await eventually(reads.openLongPolls, (open) => open === 0);
    // In this time a poller would have made at least two reads.
    const all = reads.all();
    expect((await post('?wait=2', {}, workerless)).status).toBe(202);
    expect(reads.all()).toBe(all);
  } finally {
    await own.stop();
  }
});

// Seen to fail when the wait was polled as well, and when the finished task was described.
test('a wait takes one long poll, and one more RPC to read a task that completed or failed', async () => {
  const own = await startHoldfast({ MAX_ATTEMPTS: '1' });
  try {
    await own.startWorker();
    own.jokes.rules.add({ when: { category: 'completed' }, then: [{ delayMs: 500 }] });
    own.jokes.rules.add({ when: { category: 'failed' }, then: [{ delayMs: 500, status: 503 }] });
    const reads = countReads(own);
    for (const status of ['completed', 'failed']) {
      const before = reads.all();
      const answer = await post('?wait=20', {}, own, { category: status });
      expect(answer).toMatchObject({ status: 200, body: { status } });
      expect(reads.all() - before).toBe(2);
      expect(await own.read(answer.body.id)).toEqual(answer.body);
    }
    expect(reads.longPolls()).toBe(2);
  } finally {
    await own.stop();
  }
});

// Seen to fail when the end of the first run ended the wait, and when a termination was read from the history.
test('a wait continues after an operator resets the task, and ends when an operator terminates it', async () => {
  const category = 'reset';
  holdfast.jokes.rules.add({ when: { category }, then: [{ hang: 'headers' }, {}] });
  const start = async () => {
    const seen = holdfast.jokes.ledger().length;
    const headers = { 'idempotency-key': `operator-${seen}` };
    const { body } = await post('', headers, holdfast, { category });
    const waiting = post('?wait=20', headers, holdfast, { category });
    await holdfast.until(body.id, ({ status }) => status === 'running');
    await eventually(
      () => holdfast.jokes.ledger().length,
      (calls) => calls > seen,
    );
    return { id: body.id as string, waiting };
  };
  // Only a workflow can be reset.
  if (engine === 'workflow') {
    const reset = await start();
    await resetToStart(holdfast, reset.id);
    expect(await reset.waiting).toMatchObject({ status: 200, body: { id: reset.id, status: 'completed' } });
  }

  const terminated = await start();
  await terminate(holdfast, terminated.id);
  expect(await terminated.waiting).toMatchObject({
    status: 200,
    body: { id: terminated.id, status: 'failed', attempt: 1, failure: { reason: 'terminated' } },
  });
});

// Seen to fail with a limit of 1,000 long polls.
test('1,000 waiting clients have at most 500 long polls, beside the 200 reads a second of watched tasks', async () => {
  // The owner of the other tests would get 1,000 tasks in its lists.
  const secret = toSecret('crowd');
  const own = await startHoldfast({ API_KEYS: `crowd:${secret}` });
  const headers = { authorization: `Bearer ${secret}` };
  try {
    const reads = countReads(own);
    const leaving = new AbortController();
    const path = `${own.url}/tasks/fetch-joke?delay=3600&wait=60`;
    const starts = vi.spyOn(own.client.workflowService, rpcs.start);
    const startedAt = performance.now();
    for (let group = 1; group <= 10; group += 1) {
      for (let index = 0; index < 100; index += 1)
        fetch(path, { method: 'POST', headers, signal: leaving.signal }).catch(() => undefined);
      await eventually(
        () => starts.mock.settledResults.filter(({ type }) => type === 'fulfilled').length,
        (started) => started >= group * 100,
      );
    }
    await eventually(reads.openLongPolls, (open) => open === 500);
    const described = reads.describes();
    await eventually(reads.describes, (describes) => describes > described + 100);
    const seconds = (performance.now() - startedAt) / 1_000;
    expect(reads.describes()).toBeLessThan(200 * seconds + 10);
    // Temporal answers a long poll after 20 s.
    expect(reads.longPolls()).toBeLessThanOrEqual(500 * Math.ceil(seconds / 19));
    leaving.abort();
    await eventually(reads.openLongPolls, (open) => open === 0);
  } finally {
    await own.stop();
  }
});

// Seen to fail when repeated reads found the end: the answer took 10 times as long.
test('on an idle system, ?wait answers in about the time of the client’s own `execute`', async () => {
  const { client, config } = holdfast;
  const options = toActivityOptions(config.policy);
  const { taskQueue } = config;
  const { jitter } = config.policy;
  const id = () => `bare-${randomUUID()}`;
  const execute = () =>
    engine === 'activity'
      ? client.activity.execute('fetch-joke', { id: id(), taskQueue, args: [{}, { jitter }], ...options })
      : client.workflow.execute('fetch-joke', { workflowId: id(), taskQueue, args: [{ input: {}, options, jitter }] });
  const pairs: { wait: number; bare: number }[] = [];
  for (let pair = 0; pair < 20; pair += 1)
    pairs.push({ wait: (await timed(post('?wait=20'))).ms, bare: (await timed(execute())).ms });
  const toMedian = (values: number[]) => values.toSorted((a, b) => a - b)[10] ?? Number.NaN;
  const ratio = toMedian(pairs.map(({ wait }) => wait)) / toMedian(pairs.map(({ bare }) => bare));
  expect(ratio).toBeLessThan(2);
});

// Seen to fail when the list was split at every comma.
test('Prefer follows RFC 7240: a list in any case, quoted or not, in which the first of two counts', () => {
  const cases: [string, number | undefined][] = [
    ['wait=20', 20],
    ['WAIT = 20', 20],
    ['wait="20"', 20],
    ['respond-async, wait=20', 20],
    ['wait=20;unit=s, return=minimal', 20],
    ['wait=5, wait=9', 5],
    ['wait=soon, wait=9', undefined],
    ['foo="a, wait=5", wait=9', 9],
    ['foo="a\\", wait=5", wait=9', 9],
    ['foo="a, wait=5', undefined],
    ['wait=61', 60],
    ['wait=0', 0],
    ['wait', undefined],
    ['wait=', undefined],
    ['wait=1.5', undefined],
    ['wait=-1', undefined],
    ['waiting=5', undefined],
    ['', undefined],
  ];
  for (const [prefer, seconds] of cases) {
    expect({ prefer, seconds: parsePreferredWait(prefer) }).toEqual({ prefer, seconds });
  }
  expect(parsePreferredWait(undefined)).toBeUndefined();
});

// Seen to fail when an unclosed quotation was parsed again from each of its characters.
test('every Prefer within the header limit is parsed quickly', () => {
  const { length } = { length: 16_000 };
  for (const piece of ['"', '\\"', '"\\', ',', 'wait ', '",']) {
    const started = performance.now();
    parsePreferredWait(piece.repeat(length / piece.length));
    parsePreferredWait(`"${piece.repeat(length / piece.length)}`);
    expect(performance.now() - started).toBeLessThan(50);
  }
});
