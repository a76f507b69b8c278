import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { toCursor } from '../../../../src/api/http/cursor.ts';
import { createTaskList } from '../../../../src/api/tasks/task-list.ts';
import type { TaskSummary } from '../../../../src/api/views/schemas.ts';
import { createTaskId } from '../../../../src/api/views/task-id.ts';
import type { TaskView } from '../../../../src/api/views/task-view.ts';
import { createListTasks } from '../../../../src/temporal/lists/list-tasks.ts';
import { cancelledWithoutWorker, terminate } from '../../../support/engine.ts';
import { eventually, type Holdfast, isFinished, startHoldfast } from '../../../support/holdfast.ts';
import { expectProblem } from '../../../support/problem.ts';
import { type SignedIn, signIn, toSecret } from '../../../support/signed-in.ts';

// Two APIs with the same owners on two task queues. `workerless` never has a worker, so its tasks stay queued.
let holdfast: Holdfast;
let workerless: Holdfast;

const names = ['states', 'order', 'pages', 'paging-queued', 'empty'] as const;
const secrets = Object.fromEntries(names.map((name) => [name, toSecret(`list-${name}-${randomUUID().slice(0, 4)}`)]));
const API_KEYS = names.map((name) => `list-${name}:${secrets[name]}`).join(',');
/** Returns the calls of an owner. Each test has its own owners, so that lists have its tasks only. */
const owner = (name: (typeof names)[number], at = holdfast) => signIn(at, secrets[name] ?? '');

beforeAll(async () => {
  holdfast = await startHoldfast({ API_KEYS, BASE_DELAY: '1', HEARTBEAT_TIMEOUT: '1' });
  workerless = await startHoldfast({ API_KEYS });
  await holdfast.startWorker();
  const { rules } = holdfast.jokes;
  rules.add({ when: { category: 'retries' }, then: [{ status: 503, retryAfter: '200' }], repeat: true });
  rules.add({ when: { category: 'hangs' }, then: [{ hang: 'headers' }], repeat: true });
});
afterAll(() => Promise.all([holdfast, workerless].map((each) => each?.stop())));

const list = async (who: SignedIn, query = ''): Promise<{ items: TaskSummary[]; nextCursor: string | null }> => {
  const { status, body } = await who.call('GET', `/tasks${query}`);
  if (status !== 200) throw new Error(`GET /tasks${query} answered ${status}: ${JSON.stringify(body)}`);
  return body;
};
const idsOf = ({ items }: { items: TaskSummary[] }) => items.map(({ id }) => id);

/** Returns the list as soon as it has exactly these ids, in any order, because visibility lags behind. */
const listOnce = (who: SignedIn, query: string, ids: string[]) =>
  eventually(
    () => list(who, query),
    (page) => JSON.stringify(idsOf(page).sort()) === JSON.stringify([...ids].sort()),
  );

/** Returns every page from the first to the one without a cursor. */
async function listAll(who: SignedIn, query: string): Promise<TaskSummary[][]> {
  const pages: TaskSummary[][] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page = await list(who, `${query}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    pages.push(page.items);
    cursor = page.nextCursor;
  }
  return pages;
}

/** Starts a task with a delay, as the API does. */
async function submitDelayed(name: (typeof names)[number], startDelay: number) {
  const workflowId = createTaskId(`list-${name}`, 'fetch-joke');
  await workerless.client.workflow.start('fetch-joke', {
    workflowId,
    taskQueue: workerless.config.taskQueue,
    startDelay,
    args: [],
    memo: { input: { category: 'later' }, maxAttempts: 5, submittedAt: new Date().toISOString() },
  });
  return workflowId;
}

test('an owner without tasks has an empty list and no cursor, with any filter', async () => {
  for (const query of ['', '?status=open', '?status=completed', '?status=queued', '?name=fetch-joke']) {
    expect(await list(owner('empty'), query)).toEqual({ items: [], nextCursor: null });
  }
});

// Seen to fail when `keepStatus` kept every task.
test('each status finds exactly the tasks with that status', async () => {
  const who = owner('states');
  const submit = async (category?: string, at = who) => (await at.submit(category ? { category } : {})).id;
  const completed = await submit();
  const failed = await submit('no-such-category');
  const terminated = await submit('retries');
  const cancelled = await submit('retries');
  const retrying = await submit('retries');
  const running = await submit('hangs');
  const queued = await submit('dev', owner('states', workerless));
  const cancelling = await submit('dev', owner('states', workerless));
  const scheduled = await submitDelayed('states', 3_600_000);

  for (const id of [terminated, cancelled, retrying]) await who.until(id, ({ status }) => status === 'retrying');
  await who.until(running, ({ status }) => status === 'running');
  await terminate(holdfast, terminated);
  await who.call('POST', `/tasks/${cancelled}/cancel`);
  await who.call('POST', `/tasks/${cancelling}/cancel`);
  for (const id of [completed, failed, cancelled, terminated]) await who.until(id, isFinished);

  // Without a worker, only a standalone activity is cancelled at once.
  const isEndless = cancelledWithoutWorker === 'cancelling';
  const expected: Record<string, string[]> = {
    completed: [completed],
    failed: [failed, terminated],
    cancelled: [cancelled, ...(isEndless ? [] : [cancelling])],
    scheduled: [scheduled],
    open: [retrying, running, queued, ...(isEndless ? [cancelling] : [])],
    retrying: [retrying],
    running: [running],
    queued: [queued],
    cancelling: isEndless ? [cancelling] : [],
  };
  for (const [status, ids] of Object.entries(expected)) {
    const { items, nextCursor } = await listOnce(who, `?status=${status}`, ids);
    expect(items.map((item) => item.status)).toEqual(ids.map(() => status));
    expect(nextCursor).toBeNull();
    expect(idsOf(await listOnce(who, `?name=fetch-joke&status=${status}`, ids))).toHaveLength(ids.length);
  }

  const everything = await listOnce(who, '', [...Object.values(expected).slice(0, 5).flat()]);
  const shown = Object.fromEntries(everything.items.map(({ id, status }) => [id, status]));
  expect(shown).toEqual({
    ...Object.fromEntries([completed].map((id) => [id, 'completed'])),
    ...Object.fromEntries([failed, terminated].map((id) => [id, 'failed'])),
    ...Object.fromEntries((expected.cancelled ?? []).map((id) => [id, 'cancelled'])),
    ...Object.fromEntries((expected.open ?? []).map((id) => [id, 'open'])),
    [scheduled]: 'scheduled',
  });
  expect(await who.read(scheduled)).toMatchObject({ status: 'scheduled', attempt: 1, input: { category: 'later' } });
  expect(idsOf(await list(who, '?name=fetch-joke')).sort()).toEqual(Object.keys(shown).sort());
  await who.call('POST', `/tasks/${running}/cancel`);
  await who.call('POST', `/tasks/${retrying}/cancel`);
});

test('a cancelled scheduled task is cancelling until a worker starts, because a worker must end its workflow', async () => {
  const who = owner('states');
  const id = await submitDelayed('states', 3_600_000);
  expect((await who.call('POST', `/tasks/${id}/cancel`)).status).toBe(202);
  expect(await who.read(id)).toMatchObject({ status: 'cancelling', attempt: 1 });
});

// Seen to fail when finished tasks came before open ones.
test('open tasks come first, by latest start, followed by finished tasks, by latest end', async () => {
  const who = owner('order');
  const finished: string[] = [];
  for (const category of [undefined, 'no-such-category', undefined]) {
    const { id } = await who.submit(category ? { category } : {});
    await who.until(id, isFinished);
    finished.unshift(id);
  }
  const open: string[] = [];
  for (let count = 0; count < 3; count += 1) open.unshift((await owner('order', workerless).submit()).id);

  const { items } = await listOnce(who, '', [...open, ...finished]);
  expect(items.map(({ id }) => id)).toEqual([...open, ...finished]);
  expect(items[0]).toEqual({
    id: open[0],
    name: 'fetch-joke',
    status: 'open',
    input: {},
    submittedAt: expect.any(String),
  });
  expect(items.at(-1)).toMatchObject({ status: 'completed', finishedAt: expect.any(String) });
  const { submittedAt, finishedAt } = await who.read(finished[0] ?? '');
  expect(items[3]).toMatchObject({ submittedAt, finishedAt });
});

// Seen to fail when a page that crossed from open to finished kept the cursor from before the crossing.
test('pages of any size have each task once, in the order of the whole list, and the last has no cursor', async () => {
  const who = owner('pages');
  const finished = await Promise.all(
    Array.from({ length: 5 }, async () => {
      const { id } = await who.submit();
      await who.until(id, isFinished);
      return id;
    }),
  );
  const open = await Promise.all(Array.from({ length: 4 }, async () => (await owner('pages', workerless).submit()).id));
  const whole = idsOf(await listOnce(who, '', [...open, ...finished]));

  for (const limit of [1, 2, 3, 4, 5, 8, 9, 1_000]) {
    const pages = await listAll(who, `?limit=${limit}`);
    expect(pages.flat().map(({ id }) => id)).toEqual(whole);
    for (const page of pages) expect(page.length).toBeLessThanOrEqual(limit);
  }
  for (const [status, ids] of [
    ['open', open],
    ['completed', finished],
    ['queued', open],
  ] as const) {
    const pages = await listAll(who, `?status=${status}&limit=2`);
    expect(pages.flat().map(({ id }) => id)).toEqual(whole.filter((id) => (ids as string[]).includes(id)));
  }
});

test('a status that is filtered by the API may give short pages, but they have every such task', async () => {
  const who = owner('paging-queued');
  const queued: string[] = [];
  for (let count = 0; count < 4; count += 1) {
    queued.push((await owner('paging-queued', workerless).submit()).id);
    const { id } = await who.submit({ category: 'retries' });
    await who.until(id, ({ status }) => status === 'retrying');
  }
  await eventually(
    () => list(who, '?status=open'),
    ({ items }) => items.length === 8,
  );
  const pages = await listAll(who, '?status=queued&limit=3');
  expect(
    pages
      .flat()
      .map(({ id }) => id)
      .sort(),
  ).toEqual(queued.sort());
});

const cursorOf = async (query: string) => {
  const { nextCursor } = await eventually(
    () => list(owner('pages'), query),
    (page) => page.nextCursor !== null,
  );
  return nextCursor ?? '';
};
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const decode = (cursor: string) => JSON.parse(Buffer.from(cursor, 'base64url').toString());
/** Returns the cursor with another position. Anyone can make such a cursor. */
const forge = (cursor: string, position: unknown) => encode({ ...decode(cursor), position });

async function expectNoCursor(who: SignedIn, query: string) {
  const answer = await who.call('GET', `/tasks?${query}`);
  expect({ query, status: answer.status }).toEqual({ query, status: 400 });
  expect(expectProblem(answer, 'bad-request').errors).toMatchObject([{ pointer: '#/cursor' }]);
}

// Seen to fail when neither the filter nor the complete text was compared.
test('a cursor that has other filters or was cut, extended or forged is a 400 that names the cursor', async () => {
  const open = await cursorOf('?status=open&limit=1');
  const any = await cursorOf('?limit=1');
  const { filter, position } = decode(any);
  const queries = [
    `limit=1&cursor=${open}`,
    `status=completed&limit=1&cursor=${open}`,
    `status=open&name=fetch-joke&limit=1&cursor=${open}`,
    `limit=1&cursor=${any.slice(0, -1)}`,
    `limit=1&cursor=${any.slice(0, any.length / 2)}`,
    `limit=1&cursor=${any.slice(1)}`,
    ...['A', 'AA', 'AAA', '=', '.', '%20', '%00', any].map((more) => `limit=1&cursor=${any}${more}`),
    `limit=1&cursor=.${any}`,
    'cursor=abc',
    'cursor=%00',
    'cursor=null',
    ...[null, [], 7, 'x', {}, { filter }, { position }, { filter: null, position }, { filter, position, more: 1 }].map(
      (value) => `cursor=${encode(value)}`,
    ),
    ...[null, 'open', 0, { phase: 'later', token: '' }, { phase: 'open' }, { ...position, more: 1 }].map(
      (other) => `cursor=${forge(any, other)}`,
    ),
    ...['#', 7, null, position.token.slice(0, 7), position.token.slice(0, 8)].map(
      (token) => `cursor=${forge(any, { ...position, token })}`,
    ),
    `status=completed&cursor=${forge(any, { phase: 'closed', token: '' })}`,
  ];
  for (const query of queries) await expectNoCursor(owner('pages'), query);
});

/** Expects a 400 or a page of the owner's own tasks for each query. Returns the statuses. */
async function expectOwnTasksAtMost(who: SignedIn, own: string[], queries: string[]): Promise<number[]> {
  const statuses: number[] = [];
  for (const query of queries) {
    const answer = await who.call('GET', `/tasks?${query}`);
    statuses.push(answer.status);
    if (answer.status === 200) expect(own).toEqual(expect.arrayContaining(idsOf(answer.body)));
    else expect(expectProblem(answer, 'bad-request').errors).toMatchObject([{ pointer: '#/cursor' }]);
  }
  return statuses;
}

// Seen to fail when neither the query nor the summaries were bound to the owner.
test("a forged cursor or another owner's cursor shows the caller's own tasks at most", async () => {
  const own = idsOf(await list(owner('pages'), '?limit=1000'));
  const any = await cursorOf('?limit=1');
  const { position } = decode(any);
  const queries = [
    { ...position, phase: 'closed' },
    { phase: 'open', token: '' },
    { phase: 'closed', token: '' },
    { phase: 'closed', token: decode(await cursorOf('?status=completed&limit=1')).position.token },
  ].map((other) => `limit=1000&cursor=${forge(any, other)}`);
  expect(await expectOwnTasksAtMost(owner('pages'), own, queries)).toContain(200);
  for (const query of [`limit=1000&cursor=${any}`, ...queries])
    expect(await expectOwnTasksAtMost(owner('empty'), [], [query])).toEqual([expect.any(Number)]);
});

// Seen to fail when Temporal's refusal of a page token was a 500.
test("a cursor with one changed bit is a 400 or shows the caller's own tasks", async () => {
  const own = idsOf(await list(owner('pages'), '?limit=1000'));
  const cursor = await cursorOf('?limit=1');
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const queries = [...cursor].map((letter, index) => {
    const other = letters[letters.indexOf(letter) ^ 1] ?? 'A';
    return `limit=1&cursor=${cursor.slice(0, index)}${other}${cursor.slice(index + 1)}`;
  });
  expect(await expectOwnTasksAtMost(owner('pages'), own, queries)).toContain(400);
});

test('a cursor works in every API process, and with both secrets of a rotation', async () => {
  const before = await cursorOf('?limit=1');
  const old = secrets.pages ?? '';
  const replacement = toSecret('list-replacement');
  const rotations = [`${old}|${replacement}`, `${replacement}|${old}`, replacement];
  for (const rotation of rotations) {
    const rotated = await startHoldfast({ API_KEYS: `list-pages:${rotation}` });
    onTestFinished(() => rotated.stop());
    for (const secret of rotation.split('|')) {
      const who = signIn(rotated, secret);
      expect((await list(who, `?limit=1&cursor=${before}`)).items).toEqual(
        (await list(owner('pages'), `?limit=1&cursor=${before}`)).items,
      );
    }
  }
});

// Seen to fail when every UNKNOWN with a page token was the fault of the cursor.
test('a failure of the server is not reported as a bad cursor', async () => {
  const failure = Object.assign(new Error('2 UNKNOWN'), { code: 2, details: 'something went wrong', metadata: {} });
  const client = {
    options: holdfast.client.options,
    workflowService: { listWorkflowExecutions: () => Promise.reject(failure) },
  } as unknown as Client;
  const listTasks = createTaskList({ list: createListTasks(client) }, {} as TaskView);
  const filter = { name: undefined, status: undefined };
  const cursor = toCursor(filter, { phase: 'open', token: btoa('a token of the server') });
  await expect(listTasks('local', { ...filter, cursor }, (work) => work())).rejects.toBe(failure);
});

// A request has a limit of reads, because 1,000 reads take over 2 s.
test('a page of 1,000 tasks that start soon reads 200 of them, and the clock of the API decides about the others', async () => {
  const toPayload = (value: unknown) => holdfast.client.options.loadedDataConverter.payloadConverter.toPayload(value);
  const memo = { fields: { input: toPayload({}), submittedAt: toPayload(new Date().toISOString()) } };
  const startTime = { seconds: Math.floor(Date.now() / 1_000) };
  const executionTime = { seconds: startTime.seconds + 60 };
  const executions = Array.from({ length: 1_000 }, () => {
    const workflowId = createTaskId('local', 'fetch-joke');
    return { execution: { workflowId }, memo, startTime, executionTime, status: 1 };
  });
  const client = {
    options: holdfast.client.options,
    workflowService: { listWorkflowExecutions: async () => ({ executions }) },
  } as unknown as Client;
  let reads = 0;
  const readTask = async () => ({ status: ++reads % 2 ? 'scheduled' : 'queued' });
  const listTasks = createTaskList({ list: createListTasks(client) }, { readTask } as unknown as TaskView);
  const { items } = await listTasks('local', { name: undefined, status: undefined, limit: 1_000 }, (work) => work());
  expect(reads).toBe(200);
  expect(items.filter(({ status }) => status === 'scheduled')).toHaveLength(900);
});

test('without API keys, cursors work too, and a forged one is still a 400', async () => {
  const open = await startHoldfast();
  onTestFinished(() => open.stop());
  for (let count = 0; count < 2; count += 1) await open.submit();
  const first = await eventually(
    async () => (await open.call('GET', '/tasks?limit=1')).body,
    ({ nextCursor }) => nextCursor !== null,
  );
  const second = await open.call('GET', `/tasks?limit=1&cursor=${first.nextCursor}`);
  expect(second.body.items[0].id).not.toBe(first.items[0].id);

  for (const token of ['rubbish', '{"CloseTime":"x"}', 'not base64']) {
    const cursor = forge(first.nextCursor, { phase: 'open', token: token === 'not base64' ? '#' : btoa(token) });
    const answer = await open.call('GET', `/tasks?limit=1&cursor=${cursor}`);
    expect(expectProblem(answer, 'bad-request').errors).toMatchObject([{ pointer: '#/cursor' }]);
  }
});

test.each(['0', '-1', '1001', '1e2', '1.5', 'abc', '', '%201', '0x10', '99999999999'])(
  'limit %j is a 400 that names it',
  async (limit) => {
    const answer = await owner('empty').call('GET', `/tasks?limit=${limit}`);
    expect(expectProblem(answer, 'bad-request').errors).toMatchObject([{ pointer: '#/limit' }]);
  },
);

test('limits of 1 and 1000 are accepted', async () => {
  for (const limit of [1, 1_000]) {
    expect((await owner('empty').call('GET', `/tasks?limit=${limit}`)).status).toBe(200);
  }
});

test.each([
  ["status=' OR 1=1", 'status'],
  ['status=', 'status'],
  ['status=OPEN', 'status'],
  ['status=open&status=failed', 'status'],
  ['limit=1&limit=2', 'limit'],
  ["name=x' OR WorkflowId STARTS_WITH '", 'name'],
  ['name=__proto__', 'name'],
  ['name=constructor', 'name'],
  ['cursor=', 'cursor'],
  ['state=open', 'state'],
  ['__proto__=1', '__proto__'],
  ['Limit=1', 'Limit'],
])('?%s is a 400 that names %s', async (query, field) => {
  const answer = await owner('empty').call('GET', `/tasks?${encodeURI(query)}`);
  expect(expectProblem(answer, 'bad-request').errors).toContainEqual({
    pointer: `#/${field}`,
    detail: expect.any(String),
  });
});
