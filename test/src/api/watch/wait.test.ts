import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { parsePreferredWait } from '../../../../src/api/watch/wait.ts';
import { eventually, type Holdfast, startHoldfast } from '../../../support/holdfast.ts';
import { expectProblem } from '../../../support/problem.ts';

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
  const describes = vi.spyOn(holdfast.client.workflowService, 'describeWorkflowExecution');
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
  const starts = vi.spyOn(workerless.client.workflowService, 'startWorkflowExecution');
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

// Seen to fail when the wait continued after its caller had gone.
test('a caller that goes away ends its wait', async () => {
  const own = await startHoldfast();
  try {
    const describes = vi.spyOn(own.client.workflowService, 'describeWorkflowExecution');
    const leaving = new AbortController();
    const call = fetch(`${own.url}/tasks/fetch-joke?wait=60`, { method: 'POST', signal: leaving.signal });
    await eventually(
      () => describes.mock.calls.length,
      (reads) => reads >= 2,
    );
    leaving.abort();
    await expect(call).rejects.toThrow();
    // In this time the poller would have made at least two more reads.
    const reads = describes.mock.calls.length;
    expect((await post('?wait=2', {}, workerless)).status).toBe(202);
    expect(describes.mock.calls.length).toBe(reads);
  } finally {
    await own.stop();
  }
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
