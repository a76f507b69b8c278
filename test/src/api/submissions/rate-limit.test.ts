import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiEnvironment, requireApiKey } from '../../../../src/api/http/auth.ts';
import { answerProblem, Problem, toProblem } from '../../../../src/api/problems/problem.ts';
import { limitSubmissions } from '../../../../src/api/submissions/submission.ts';
import { toOwnerPrefix } from '../../../../src/api/views/task-id.ts';
import { loadConfig } from '../../../../src/config/config.ts';
import { TemporalUnavailable } from '../../../../src/temporal/errors.ts';
import { createRateLimit, createWindows } from '../../../../src/temporal/rate-limit.ts';
import { eventually, type Holdfast, startHoldfast } from '../../../support/holdfast.ts';
import { expectProblem } from '../../../support/problem.ts';
import { signIn, toSecret } from '../../../support/signed-in.ts';

const json = (body: unknown) => ({ headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

describe('on a test clock', () => {
  /** Creates an app with the limit and a route for each end of a submission. `address` identifies the caller. */
  function createLimited(rateLimit: number) {
    const clock = { ms: 0 };
    const app = new Hono<ApiEnvironment>();
    app.onError((error, c) => answerProblem(c, toProblem(error)));
    const rates = createRateLimit(rateLimit, 'submissions', () => clock.ms);
    app.use(
      requireApiKey(loadConfig({})),
      limitSubmissions({ readRate: rates.read, requireCapacity: ({ rateLimitKey }) => rates.require(rateLimitKey) }),
    );
    /** Each start waits for `held`. `?key=` names the task; without it each start is a new one. */
    const state = { held: Promise.resolve(), begun: 0 };
    const starts = (path: string, end: () => 'earlier' | undefined) =>
      app.post(path, async (c) => {
        const start = async () => {
          state.begun += 1;
          await state.held;
          return end();
        };
        await rates.count(c.var.rateLimitKey, c.req.query('key') ?? randomUUID(), 1, start);
        return c.text('', 202);
      });
    starts('/accepted', () => undefined);
    starts('/replay', () => 'earlier');
    starts('/not-started', () => {
      throw new TemporalUnavailable('not-started');
    });
    starts('/unknown', () => {
      throw new TemporalUnavailable('unknown');
    });
    app.post('/invalid', () => {
      throw new Problem('invalid-input', 'It does not fit');
    });
    const submit = async (path = '/accepted', address = '127.0.0.1') => {
      const socket = { remoteAddress: address, remotePort: 1, remoteFamily: 'IPv4' };
      const { status, headers } = await app.request(path, { method: 'POST' }, { incoming: { headers: {}, socket } });
      return { status, limit: headers.get('ratelimit'), retryAfter: headers.get('retry-after') };
    };
    /** Holds every start. Returns the function that releases them. */
    const hold = () => {
      let open = () => {};
      state.held = new Promise((resolve) => {
        open = resolve;
      });
      return open;
    };
    return { clock, state, hold, submit };
  }

  // Seen to fail when the window never ended, and when `used` was not counted.
  test('a caller may submit RATE_LIMIT tasks in the minute after its first, then gets 429 until that minute is over', async () => {
    const { clock, submit } = createLimited(2);
    expect(await submit()).toMatchObject({ status: 202, limit: '"submissions";r=1;t=60' });
    clock.ms = 30_000;
    expect(await submit()).toMatchObject({ status: 202, limit: '"submissions";r=0;t=30' });
    clock.ms = 30_500;
    for (let count = 0; count < 5; count += 1)
      expect(await submit()).toEqual({ status: 429, limit: '"submissions";r=0;t=30', retryAfter: '30' });
    clock.ms = 59_999;
    expect(await submit()).toEqual({ status: 429, limit: '"submissions";r=0;t=1', retryAfter: '1' });
    clock.ms = 60_000;
    expect(await submit()).toMatchObject({ status: 202, limit: '"submissions";r=1;t=60' });
  });

  test('each address has its own limit', async () => {
    const { submit } = createLimited(1);
    expect((await submit('/accepted', '127.0.0.1')).status).toBe(202);
    expect((await submit('/accepted', '127.0.0.1')).status).toBe(429);
    expect((await submit('/accepted', '::1')).status).toBe(202);
  });

  // Seen to fail when every submission counted.
  test.each(['/invalid', '/not-started', '/replay'])(
    'a submission that started nothing (%s) does not count',
    async (path) => {
      const { submit } = createLimited(1);
      for (let count = 0; count < 5; count += 1)
        expect(await submit(path)).toMatchObject({ limit: '"submissions";r=1;t=60' });
      expect((await submit()).status).toBe(202);
      expect((await submit()).status).toBe(429);
    },
  );

  // Seen to fail when no 503 counted.
  test('a submission that may have started a task counts', async () => {
    const { submit } = createLimited(1);
    expect((await submit('/unknown')).status).toBe(503);
    expect((await submit()).status).toBe(429);
  });

  // Seen to fail when starts in flight did not count.
  test('submissions at the same time cannot exceed the limit together; refused ones may retry after a second', async () => {
    const { submit, hold } = createLimited(3);
    const open = hold();
    const together = Array.from({ length: 20 }, () => submit());
    // Refusals do not wait: they are the answers that arrive while no start has ended.
    const early = await Promise.all(together.slice(3));
    for (const answer of early) expect(answer).toEqual({ status: 429, limit: expect.any(String), retryAfter: '1' });
    open();
    const taken = await Promise.all(together.slice(0, 3));
    expect(taken.map(({ status }) => status)).toEqual([202, 202, 202]);
    expect(await submit()).toMatchObject({ status: 429, retryAfter: '60' });
  });

  // Seen to fail when each submission under a key counted.
  test('submissions under one key count once while they are in flight', async () => {
    const { submit, hold, state } = createLimited(1);
    const open = hold();
    const together = Array.from({ length: 20 }, () => submit('/replay?key=one'));
    await eventually(
      () => state.begun,
      (begun) => begun === 20,
      5_000,
    );
    open();
    const answers = await Promise.all(together);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(await submit()).toMatchObject({ status: 202, limit: '"submissions";r=0;t=60' });
  });

  test('0 means no limit and no headers', async () => {
    const { submit } = createLimited(0);
    for (let count = 0; count < 100; count += 1)
      expect(await submit()).toEqual({ status: 202, limit: null, retryAfter: null });
  });

  // Seen to fail without the bound.
  test('memory is bounded for any number of addresses, and ended windows are removed', () => {
    let now = 0;
    const windows = createWindows(() => now, 100);
    for (let address = 0; address < 10_000; address += 1) windows.of(`10.0.0.${address}`).used += 1;
    expect(windows.size).toBe(100);
    // The latest callers are still known, and calling again makes no second window.
    expect(windows.of('10.0.0.9999').used).toBe(1);
    expect(windows.size).toBe(100);
    now = 60_000;
    expect(windows.of('10.0.0.1').used).toBe(0);
    expect(windows.size).toBe(1);
  });
});

describe('in a running Holdfast', () => {
  let holdfast: Holdfast;
  const names = ['limited', 'invalid', 'other', 'rerun', 'slow'];
  const who = (name: string) => signIn(holdfast, toSecret(`rate-${name}`));

  beforeAll(async () => {
    const API_KEYS = names.map((name) => `rate-${name}:${toSecret(`rate-${name}`)}`).join(',');
    holdfast = await startHoldfast({ RATE_LIMIT: '2', API_KEYS });
  });
  afterAll(() => holdfast.stop());

  // Seen to fail without the middleware of the routes that submit.
  test('the third submission is a 429 and starts nothing; reads and other keys are not limited', async () => {
    const limited = who('limited');
    const answers = [];
    for (let count = 0; count < 3; count += 1) answers.push(await limited.call('POST', '/tasks/fetch-joke'));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 429]);
    for (const { headers } of answers) expect(headers.get('ratelimit-policy')).toBe('"submissions";q=2;w=60');
    expect(answers.map(({ headers }) => headers.get('ratelimit')?.split(';')[1])).toEqual(['r=1', 'r=0', 'r=0']);
    const refused = answers[2] as (typeof answers)[number];
    expect(expectProblem(refused, 'rate-limited')).toMatchObject({ retryable: true, outcome: 'not-started' });
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    expect(refused.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);

    const [{ body }] = answers as [(typeof answers)[number]];
    for (const path of ['/tasks', `/tasks/${body.id}`, '/health']) {
      const { status, headers } = await limited.call('GET', path);
      expect({ path, status, has: headers.has('ratelimit') }).toEqual({ path, status: 200, has: false });
    }
    expect((await limited.call('POST', `/tasks/${body.id}/cancel`)).status).toBe(202);
    expect((await who('other').call('POST', '/tasks/fetch-joke')).status).toBe(202);
    const page = await (await fetch(`${holdfast.url}/metrics`, { headers: auth('other') })).text();
    expect(page).toContain('holdfast_submissions_total{task="fetch-joke",outcome="refused"} 1');
  });

  test('invalid submissions and replays do not count', async () => {
    const { call } = who('invalid');
    const submit = (init: RequestInit) => call('POST', '/tasks/fetch-joke', init as Omit<RequestInit, 'method'>);
    for (let count = 0; count < 3; count += 1) {
      expect((await submit(json({ category: 7 }))).status).toBe(422);
      expect((await call('POST', '/tasks/nope')).status).toBe(404);
      const { status, headers } = await submit({ headers: { 'idempotency-key': 'rate-1' } });
      expect({ status, limit: headers.get('ratelimit')?.split(';')[1] }).toEqual({ status: 202, limit: 'r=1' });
    }
    expect((await submit({})).status).toBe(202);
    expect((await submit({})).status).toBe(429);
  });

  // Seen to fail when submissions were counted before the handler.
  test('a submission whose body has not arrived does not count', async () => {
    const { hostname, port } = new URL(holdfast.url);
    const head = `POST /tasks/fetch-joke HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${toSecret('rate-slow')}\r\n`;
    const sockets = Array.from({ length: 10 }, () => connect(Number(port), hostname));
    try {
      for (const socket of sockets)
        socket.write(`${head}Content-Type: application/json\r\nContent-Length: 20\r\n\r\n{`);
      await Promise.all(sockets.map((socket) => once(socket, 'connect')));
      const { status, headers } = await who('slow').call('POST', '/tasks/fetch-joke');
      expect({ status, limit: headers.get('ratelimit')?.split(';')[1] }).toEqual({ status: 202, limit: 'r=1' });
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });

  test('a rerun counts as a submission', async () => {
    const { call } = who('rerun');
    const { headers } = await call('POST', '/tasks/nope/rerun');
    expect(headers.get('ratelimit')).toMatch(/^"submissions";r=2;/);
    for (let count = 0; count < 2; count += 1) await call('POST', '/tasks/fetch-joke');
    expectProblem(await call('POST', '/tasks/nope/rerun'), 'rate-limited');
  });

  const auth = (name: string) => ({ authorization: `Bearer ${toSecret(`rate-${name}`)}` });
});

// Seen to fail when submissions were counted before the handler.
test('a submission that is refused as overloaded does not count for the rate limit', async () => {
  const holdfast = await startHoldfast({
    RATE_LIMIT: '1000',
    MAX_IN_FLIGHT: '2',
    API_KEYS: `rate-shed:${toSecret('rate-shed')}`,
  });
  try {
    const { call } = signIn(holdfast, toSecret('rate-shed'));
    const answers = await Promise.all(Array.from({ length: 60 }, () => call('POST', '/tasks/fetch-joke')));
    const accepted = answers.filter(({ status }) => status === 202).length;
    expect(answers.filter(({ status }) => status === 503).length).toBe(60 - accepted);
    expect(accepted).toBeLessThan(60);
    const { headers } = await call('POST', '/tasks/fetch-joke');
    expect(headers.get('ratelimit')?.split(';')[1]).toBe(`r=${1_000 - accepted - 1}`);
  } finally {
    await holdfast.stop();
  }
});

describe('READ_RATE_LIMIT and ITEM_RATE_LIMIT', () => {
  const names = ['reader', 'lister', 'batcher', 'other'];
  let holdfast: Holdfast;
  const who = (name: string) => signIn(holdfast, toSecret(`limit-${name}`));

  beforeAll(async () => {
    const API_KEYS = names.map((name) => `limit-${name}:${toSecret(`limit-${name}`)}`).join(',');
    holdfast = await startHoldfast({ READ_RATE_LIMIT: '4', ITEM_RATE_LIMIT: '100', API_KEYS });
  });
  afterAll(() => holdfast.stop());

  // Seen to fail when reads were not counted.
  test('after four reads in a minute, every read is a 429; submissions, other keys and the retry plan are not limited', async () => {
    const { call, submit } = who('reader');
    const { id } = await submit();
    const paths = ['/tasks?status=failed', `/tasks/${id}`, `/tasks/${id}`, '/batches/nope'];
    for (const path of paths) expect((await call('GET', path)).status).not.toBe(429);
    expect((await call('GET', '/tasks?status=failed')).status).toBe(200);
    for (const path of ['/tasks', `/tasks/${id}`, `/tasks/${id}/events`, '/batches/nope']) {
      const answer = await call('GET', path);
      expect(expectProblem(answer, 'rate-limited')).toMatchObject({ detail: expect.stringContaining('4 reads') });
      expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    }
    expect((await call('POST', '/tasks/fetch-joke')).status).toBe(202);
    expect((await call('POST', `/tasks/${id}/cancel`)).status).toBe(202);
    expect((await call('GET', '/retry-plan')).status).toBe(200);
    expect((await who('other').call('GET', '/tasks')).status).toBe(200);
  });

  // Seen to fail when a list counted as one read.
  test('a list that reads each task counts each of these reads', async () => {
    const { call, submit } = who('lister');
    for (let count = 0; count < 4; count += 1) await submit();
    await eventually(
      () => countListed('lister'),
      (count) => count === 4,
    );
    expect((await call('GET', '/tasks?status=queued')).body.items).toHaveLength(4);
    expectProblem(await call('GET', '/tasks'), 'rate-limited');
  });

  /** Counts the listed tasks of this key without the API, whose reads are limited. */
  async function countListed(name: string) {
    const query = `WorkflowId STARTS_WITH '${toOwnerPrefix(`limit-${name}`)}'`;
    const { count } = await holdfast.client.workflowService.countWorkflowExecutions({ namespace: 'default', query });
    return Number(count);
  }

  // Seen to fail when a batch counted as one item.
  test('each item counts; a batch above the limit needs an unused minute; a refused or replayed batch costs nothing', async () => {
    const { call } = who('batcher');
    const post = (count: number, headers = {}) =>
      call('POST', '/batches/fetch-joke', { ...json({ count }), headers: { ...json({}).headers, ...headers } });
    const key = { 'idempotency-key': 'items-1' };
    for (let count = 0; count < 3; count += 1) expect((await post(50, key)).status).toBe(202);
    const refused = await post(51);
    expect(expectProblem(refused, 'rate-limited')).toMatchObject({ detail: expect.stringContaining('100 items') });
    expect((await post(50)).status).toBe(202);
    expectProblem(await post(1), 'rate-limited');
    expect((await call('POST', '/tasks/fetch-joke')).status).toBe(202);
    const other = who('other');
    expect((await other.call('POST', '/batches/fetch-joke', json({ count: 101 }))).status).toBe(202);
    expectProblem(await other.call('POST', '/batches/fetch-joke', json({ count: 1 })), 'rate-limited');
  });
});
