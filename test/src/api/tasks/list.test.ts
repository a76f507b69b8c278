import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createCursors } from '../../../../src/api/http/cursor.ts';
import { positionSchema } from '../../../../src/api/tasks/visibility.ts';
import type { TaskSummary } from '../../../../src/api/views/schemas.ts';
import { createTaskId } from '../../../../src/api/views/task-id.ts';
import { eventually, type Holdfast, isFinished, startHoldfast } from '../../../support/holdfast.ts';
import { expectProblem } from '../../../support/problem.ts';
import { type SignedIn, signIn, toSecret } from '../../../support/signed-in.ts';

/** Two APIs of the same owners on two task queues: one with a worker, one with none ever, where tasks stay queued. */
let holdfast: Holdfast;
let workerless: Holdfast;

const names = ['states', 'order', 'pages', 'paging-queued', 'nobody'] as const;
const secrets = Object.fromEntries(names.map((name) => [name, toSecret(`list-${name}-${randomUUID().slice(0, 4)}`)]));
const API_KEYS = names.map((name) => `list-${name}:${secrets[name]}`).join(',');
/** Each test is an owner of its own, so that a list is all its own. */
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

/** Visibility follows the tasks by some moments: the list as soon as it has these ids, in any order. */
const listOnce = (who: SignedIn, query: string, ids: string[]) =>
  eventually(
    () => list(who, query),
    (page) => JSON.stringify(idsOf(page).sort()) === JSON.stringify([...ids].sort()),
  );

/** Every page from the first to the one without a cursor. */
async function listAll(who: SignedIn, query: string): Promise<TaskSummary[][]> {
  const pages: TaskSummary[][] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page = await list(who, `${query}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    pages.push(page.items);
    cursor = page.nextCursor;
  }
  return pages;
}

/** A task that starts later, as the API will write it once it takes a delay. */
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

test('an owner without tasks has an empty list and no cursor, whatever the filter', async () => {
  for (const query of ['', '?status=open', '?status=completed', '?status=queued', '?name=fetch-joke']) {
    expect(await list(owner('nobody'), query)).toEqual({ items: [], nextCursor: null });
  }
});

// Seen to fail when `keepStatus` kept every task it looked at.
test('each status finds exactly the tasks that are in it', async () => {
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
  await holdfast.client.workflow.getHandle(terminated).terminate();
  await who.call('POST', `/tasks/${cancelled}/cancel`);
  await who.call('POST', `/tasks/${cancelling}/cancel`);
  for (const id of [completed, failed, cancelled, terminated]) await who.until(id, isFinished);

  const expected: Record<string, string[]> = {
    completed: [completed],
    failed: [failed, terminated],
    cancelled: [cancelled],
    scheduled: [scheduled],
    open: [retrying, running, queued, cancelling],
    retrying: [retrying],
    running: [running],
    queued: [queued],
    cancelling: [cancelling],
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
    ...Object.fromEntries([cancelled].map((id) => [id, 'cancelled'])),
    ...Object.fromEntries([retrying, running, queued, cancelling].map((id) => [id, 'open'])),
    [scheduled]: 'scheduled',
  });
  expect(await who.read(scheduled)).toMatchObject({ status: 'scheduled', attempt: 1, input: { category: 'later' } });
  expect(idsOf(await list(who, '?name=fetch-joke')).sort()).toEqual(Object.keys(shown).sort());
  await who.call('POST', `/tasks/${running}/cancel`);
  await who.call('POST', `/tasks/${retrying}/cancel`);
});

test('a scheduled task that is cancelled is cancelling until a worker lives: its workflow ends by a worker’s word', async () => {
  const who = owner('states');
  const id = await submitDelayed('states', 3_600_000);
  expect((await who.call('POST', `/tasks/${id}/cancel`)).status).toBe(202);
  expect(await who.read(id)).toMatchObject({ status: 'cancelling', attempt: 1 });
});

// Seen to fail when the finished were put before the open ones.
test('open tasks come first, the latest started in front, then the finished ones, the latest ended in front', async () => {
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
test('pages of every size visit each task once, in the order of the whole list, and end without a cursor', async () => {
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

test('a close look may give short pages, and still finds every task of that status', async () => {
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
/** A cursor with its position exchanged for another, under the signature that it had. */
const forge = (cursor: string, value: unknown) =>
  cursor.replace(/^[^.]*/, Buffer.from(JSON.stringify(value)).toString('base64url'));

async function expectNoCursor(who: SignedIn, query: string) {
  const answer = await who.call('GET', `/tasks?${query}`);
  expect({ query, status: answer.status }).toEqual({ query, status: 400 });
  expect(expectProblem(answer, 'bad-request').errors).toMatchObject([{ pointer: '#/cursor' }]);
}

// Seen to fail when the filter was not signed, and when no signature was compared.
test('a cursor of other filters, cut short, changed or made up is a 400 that names the cursor', async () => {
  const open = await cursorOf('?status=open&limit=1');
  const any = await cursorOf('?limit=1');
  const [text = '', signature = ''] = any.split('.');
  const position = JSON.parse(Buffer.from(text, 'base64url').toString());
  const queries = [
    `limit=1&cursor=${open}`,
    `status=completed&limit=1&cursor=${open}`,
    `status=open&name=fetch-joke&limit=1&cursor=${open}`,
    `limit=1&cursor=${any.slice(0, -1)}`,
    `limit=1&cursor=${any.slice(0, any.length / 2)}`,
    `limit=1&cursor=${any.slice(1)}`,
    `limit=1&cursor=${any}A`,
    `limit=1&cursor=${text}`,
    `limit=1&cursor=${text}.`,
    `limit=1&cursor=.${signature}`,
    `limit=1&cursor=${any}.${signature}`,
    'cursor=abc',
    'cursor=%00',
    'cursor=null',
    `cursor=${forge(any, null)}`,
    `cursor=${forge(any, { ...position, phase: 'closed' })}`,
    `cursor=${forge(any, { ...position, token: '' })}`,
    `cursor=${forge(any, { ...position, token: position.token.slice(0, 8) })}`,
    `status=completed&cursor=${forge(any, { phase: 'closed', token: '' })}`,
  ];
  for (const query of queries) await expectNoCursor(owner('pages'), query);
});

// Seen to fail when signatures were compared decoded: the last character has bits that decoding drops.
test('a cursor with one bit of any character changed is a 400', async () => {
  const cursor = await cursorOf('?limit=1');
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  for (const [index, letter] of [...cursor].entries()) {
    const other = letters[letters.indexOf(letter) ^ 1] ?? 'A';
    await expectNoCursor(owner('pages'), `limit=1&cursor=${cursor.slice(0, index)}${other}${cursor.slice(index + 1)}`);
  }
});

// Seen to fail when every cursor was signed with the same key.
test('another owner’s cursor is a 400', async () => {
  const cursor = await cursorOf('?limit=1');
  await expectNoCursor(owner('nobody'), `limit=1&cursor=${cursor}`);
});

// Seen to fail when only the first secret of a rotation verified.
test('a cursor outlives the beginning of a rotation and counts in every API process, whichever secret is sent', async () => {
  const before = await cursorOf('?limit=1');
  const old = secrets.pages ?? '';
  const replacement = toSecret('list-replacement');
  const rotations = [`${old}|${replacement}`, `${replacement}|${old}`];
  for (const rotation of rotations) {
    const rotated = await startHoldfast({ API_KEYS: `list-pages:${rotation}` });
    onTestFinished(() => rotated.stop());
    for (const secret of [old, replacement]) {
      const who = signIn(rotated, secret);
      expect((await list(who, `?limit=1&cursor=${before}`)).items).toEqual(
        (await list(owner('pages'), `?limit=1&cursor=${before}`)).items,
      );
    }
  }
  const ended = await startHoldfast({ API_KEYS: `list-pages:${replacement}` });
  onTestFinished(() => ended.stop());
  await expectNoCursor(signIn(ended, replacement), `limit=1&cursor=${before}`);
});

test('without API keys pages follow one another, and what the server did not make is still a 400', async () => {
  const open = await startHoldfast();
  onTestFinished(() => open.stop());
  for (let count = 0; count < 2; count += 1) await open.submit();
  const first = await eventually(
    async () => (await open.call('GET', '/tasks?limit=1')).body,
    ({ nextCursor }) => nextCursor !== null,
  );
  const second = await open.call('GET', `/tasks?limit=1&cursor=${first.nextCursor}`);
  expect(second.body.items[0].id).not.toBe(first.items[0].id);

  // Anybody may sign there: what they sign is still read with care.
  const { toCursor } = createCursors(positionSchema, [], 'local', ':');
  for (const token of ['rubbish', '{"CloseTime":"x"}', 'not base64']) {
    const cursor = toCursor({ phase: 'open', token: token === 'not base64' ? '#' : btoa(token) });
    const answer = await open.call('GET', `/tasks?limit=1&cursor=${cursor}`);
    expect(expectProblem(answer, 'bad-request').errors).toMatchObject([{ pointer: '#/cursor' }]);
  }
});

test.each(['0', '-1', '1001', '1e2', '1.5', 'abc', '', '%201', '0x10', '99999999999'])(
  'limit %j is a 400 that names it',
  async (limit) => {
    const answer = await owner('nobody').call('GET', `/tasks?limit=${limit}`);
    expect(expectProblem(answer, 'bad-request').errors).toMatchObject([{ pointer: '#/limit' }]);
  },
);

test('limits of 1 and of 1000 are taken', async () => {
  for (const limit of [1, 1_000]) {
    expect((await owner('nobody').call('GET', `/tasks?limit=${limit}`)).status).toBe(200);
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
  const answer = await owner('nobody').call('GET', `/tasks?${encodeURI(query)}`);
  expect(expectProblem(answer, 'bad-request').errors).toContainEqual({
    pointer: `#/${field}`,
    detail: expect.any(String),
  });
});
