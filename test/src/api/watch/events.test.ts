import { connect } from 'node:net';
import { OpenAPIHono } from '@hono/zod-openapi';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { answerErrors } from '../../../../src/api/http/answer-errors.ts';
import type { ApiEnvironment } from '../../../../src/api/http/auth.ts';
import { Problem } from '../../../../src/api/problems/problem.ts';
import type { Task } from '../../../../src/api/views/schemas.ts';
import { createTaskId } from '../../../../src/api/views/task-id.ts';
import { createEventRoutes } from '../../../../src/api/watch/events.ts';
import { toStateId } from '../../../../src/api/watch/poller.ts';
import { createWatcher, type Subscription, type WatchedTasks, type Watcher } from '../../../../src/api/watch/watch.ts';
import { createApiMetrics } from '../../../../src/telemetry/metrics.ts';
import { TemporalUnavailable } from '../../../../src/temporal/errors.ts';
import { cancelledWithoutWorker, rpcs } from '../../../support/engine.ts';
import { openEvents } from '../../../support/event-stream.ts';
import { eventually, type Holdfast, isFinished, startHoldfast } from '../../../support/holdfast.ts';
import { expectProblem, expectSafeHeaders } from '../../../support/problem.ts';

// `holdfast` has a worker, and `workerless` never has one.
let holdfast: Holdfast;
let workerless: Holdfast;

beforeAll(async () => {
  holdfast = await startHoldfast({ BASE_DELAY: '1', MAX_ATTEMPTS: '3' });
  workerless = await startHoldfast();
  await holdfast.startWorker();
});
afterAll(() => Promise.all([holdfast, workerless].map((each) => each?.stop())));

const follow = (id: string, at = holdfast, lastEventId?: string) =>
  openEvents(`${at.url}/tasks/${id}/events`, lastEventId ? { 'last-event-id': lastEventId } : {});

/** Reads the metric `holdfast_open_event_streams`. */
const readOpen = async (at: Holdfast) => {
  const page = await (await fetch(`${at.url}/metrics`)).text();
  return Number(/^holdfast_open_event_streams (\d+)$/m.exec(page)?.[1]);
};

// Seen to fail when a stream stayed open after its task's end.
test('a stream sends the state at once, then each observed change and the end, and then it ends', async () => {
  const category = 'slow';
  const then = [{ delayMs: 1_500, status: 503 }, { delayMs: 1_500 }];
  holdfast.jokes.rules.add({ when: { category }, then });
  const submitted = await holdfast.submit({ category });
  const stream = await openEvents(`${holdfast.url}${submitted.links.events}`);
  expect(stream.status).toBe(200);
  expect(stream.headers.get('content-type')).toBe('text/event-stream');
  expect(stream.headers.get('x-accel-buffering')).toBe('no');
  expectSafeHeaders(stream);

  const events = await stream.rest();
  const statuses = events.map(({ task }) => `${task.status} ${task.attempt}`);
  // Only queued is so short that a read may miss it, before the first attempt and when the second is due.
  expect(statuses.filter((status) => !status.startsWith('queued'))).toEqual([
    'running 1',
    'retrying 2',
    'running 2',
    'completed 2',
  ]);
  expect(new Set(events.map(({ event }) => event))).toEqual(new Set(['task']));
  expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
  expect(stream.retry).toMatch(/^[1-9]\d{3}$/);
  expect(events.at(-1)?.task).toEqual(await holdfast.read(submitted.id));
  expect(events.at(-1)?.task.links).not.toHaveProperty('events');
});

// Seen to fail when `Last-Event-ID` was not read, and when the first event waited for a change.
test('a client that reconnects with its last event id gets only newer states', async () => {
  const { id } = await workerless.submit();
  const first = await follow(id, workerless);
  const known = await first.next();
  expect(known?.task).toMatchObject({ id, status: 'queued' });
  first.leave();

  const back = await follow(id, workerless, known?.id);
  expect(back.status).toBe(200);
  await workerless.call('POST', `/tasks/${id}/cancel`);
  expect(await back.next()).toMatchObject({ task: { status: cancelledWithoutWorker } });
  back.leave();

  const stranger = await follow(id, workerless, 'an id of elsewhere');
  expect(await stranger.next()).toMatchObject({ task: { status: cancelledWithoutWorker } });
  stranger.leave();
});

// Seen to fail when the answer was an empty stream: an EventSource would have reconnected forever.
test('a client that has the final event gets a 204, which stops an EventSource; others get that event', async () => {
  const { id } = await holdfast.submit();
  await holdfast.until(id, isFinished);
  const [end, ...more] = await (await follow(id)).rest();
  expect(end?.task).toMatchObject({ status: 'completed' });
  expect(more).toEqual([]);
  const back = await follow(id, holdfast, end?.id);
  expect(back.status).toBe(204);
  expect(await back.rest()).toEqual([]);
  expectSafeHeaders(back);
});

// Seen to fail when the owner in the id was not checked.
test("an unknown id, another owner's key, a bad parameter or another method is a problem, not a stream", async () => {
  const secret = 'a-secret-for-the-events-test-of-holdfast';
  const locked = await startHoldfast({ API_KEYS: `one:${secret},two:${secret}-2` });
  try {
    const as = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });
    const { body } = await locked.call('POST', '/tasks/fetch-joke', as(secret));
    const path = `/tasks/${body.id}/events`;
    expectProblem(await locked.call('GET', path), 'unauthorized');
    expectProblem(await locked.call('GET', path, as(`${secret}-2`)), 'not-found');
    expectProblem(await locked.call('GET', '/tasks/nope/events', as(secret)), 'not-found');
    expectProblem(await locked.call('GET', `${path}?x=1`, as(secret)), 'bad-request');
    const posted = await locked.call('POST', path, as(secret));
    expectProblem(posted, 'method-not-allowed');
    expect(posted.headers.get('allow')).toContain('GET');
    const unknown = body.id.replace(/[^_]+$/, '00000000-0000-4000-8000-000000000000');
    expectProblem(await locked.call('GET', `/tasks/${unknown}/events`, as(secret)), 'not-found');
  } finally {
    await locked.stop();
  }
});

// Seen to fail when GET's handler answered HEAD: hono discarded the stream, which stayed open.
test('HEAD gives the headers of a stream and opens none', async () => {
  const { id } = await workerless.submit();
  const before = await readOpen(workerless);
  const response = await fetch(`${workerless.url}/tasks/${id}/events`, { method: 'HEAD' });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  expect(await readOpen(workerless)).toBe(before);
});

// Seen to fail when every stream had its own reads, and when a stream continued after its client had left.
test('50 streams of one task share one poller, which ends when their clients have gone', async () => {
  const own = await startHoldfast();
  try {
    const { id } = await own.submit();
    const describes = vi.spyOn(own.client.workflowService, rpcs.describe);
    const streams = await Promise.all(Array.from({ length: 50 }, () => follow(id, own)));
    await Promise.all(streams.map((stream) => stream.next()));
    expect(await readOpen(own)).toBe(50);
    const opened = performance.now();
    const before = describes.mock.calls.length;
    await eventually(
      () => describes.mock.calls.length - before,
      (reads) => reads >= 3,
    );
    expect(describes.mock.calls.length - before).toBeLessThanOrEqual(2 + (performance.now() - opened) / 250);

    await own.call('POST', `/tasks/${id}/cancel`);
    const events = await Promise.all(streams.map((stream) => stream.next()));
    expect(new Set(events.map((event) => event?.task.status))).toEqual(new Set([cancelledWithoutWorker]));

    for (const stream of streams) stream.leave();
    await eventually(
      () => readOpen(own),
      (open) => open === 0,
    );
    const left = describes.mock.calls.length;
    const answers = await Promise.all(Array.from({ length: 3 }, () => own.read(id)));
    expect(answers.every(({ status }) => status === cancelledWithoutWorker)).toBe(true);
    expect(describes.mock.calls.length).toBe(left + 3);
  } finally {
    await own.stop();
  }
});

// Seen to fail when only the current answer on the connection noticed its end.
test('pipelined streams on one connection end with that connection', async () => {
  const { id } = await workerless.submit();
  const { host, hostname, port } = new URL(workerless.url);
  const before = await readOpen(workerless);
  const socket = connect(Number(port), hostname);
  socket.write(`GET /tasks/${id}/events HTTP/1.1\r\nHost: ${host}\r\n\r\n`.repeat(20));
  await eventually(
    () => readOpen(workerless),
    (open) => open === before + 20,
  );
  socket.destroy();
  await eventually(
    () => readOpen(workerless),
    (open) => open === before,
  );
});

/** Returns tasks whose end no long poll finds. */
const toWatched = (readTask: () => Promise<Task>): WatchedTasks => ({
  read: readTask,
  readEnded: readTask,
  awaitEnd: () => new Promise(() => {}),
});

/** Creates an app that has only the route of event streams. */
function createEventApp(readTask: () => Promise<Task>, { watch }: Partial<Watcher> = {}) {
  const config = { apiKeys: [] };
  const watcher = watch ? { watch } : createWatcher({ tasks: toWatched(readTask), config });
  const metrics = createApiMetrics();
  const app = new OpenAPIHono<ApiEnvironment>();
  answerErrors(app, pino({ level: 'silent' }), config);
  app.use(async (c, next) => {
    c.set('owner', 'local');
    await next();
  });
  const admission = { read: <T>(_: unknown, work: () => Promise<T>) => work() };
  app.route('/', createEventRoutes({ admission, view: { readTask }, watcher, metrics, config }));
  return { app, metrics };
}

/** Returns a `readTask` that fails with the first answers, in order, and then always has the last one. */
const toReads = (...answers: (Task | Error)[]) => {
  const left = [...answers];
  return async () => {
    const answer = left.length > 1 ? left.shift() : left[0];
    if (answer instanceof Error) throw answer;
    return answer as Task;
  };
};

const away = new TemporalUnavailable('unknown');
const running = { id: createTaskId('local', 'fetch-joke'), name: 'fetch-joke', status: 'running' } as Task;
const path = `/tasks/${running.id}/events`;

// Seen to fail when the answer was a 503, after which an EventSource never comes back.
test('while Temporal is unavailable, a stream starts without a state and sends it when it is known', async () => {
  const completed = { ...running, status: 'completed', finishedAt: '2026-11-30T00:00:00.000Z' } as Task;
  const { app } = createEventApp(toReads(away, away, running, completed));
  const answer = await app.request(path);
  expect(answer.status).toBe(200);
  const [retry, first, last, ...more] = (await answer.text()).trim().split('\n\n');
  expect(retry).toMatch(/^retry: \d+$/);
  expect(first).toBe(`event: task\nid: ${toStateId(running)}\ndata: ${JSON.stringify(running)}`);
  expect(last).toContain('"status":"completed"');
  expect(more).toEqual([]);

  // A client that has this state already gets it only once.
  const back = createEventApp(toReads(away, completed)).app;
  const headers = { 'last-event-id': toStateId(completed) };
  expect(await (await back.request(path, { headers })).text()).toMatch(/^retry: \d+\n\n$/);
  expect((await back.request(path, { headers })).status).toBe(204);
});

// Seen to fail when the stream stayed open for a task that does not exist.
test('a stream that started without a state ends if the task turns out to be missing, and the next call is a 404', async () => {
  const { app, metrics } = createEventApp(toReads(away, new Problem('not-found', 'There is no task of this id')));
  const answer = await app.request(path);
  expect(answer.status).toBe(200);
  expect(await answer.text()).toMatch(/^retry: \d+\n\n$/);
  expect((await metrics.openEventStreams.get()).values[0]?.value).toBe(0);
  expect((await app.request(path)).status).toBe(404);
});

// Seen to fail when the stream did not wait for its reader.
test('a client that does not read makes no events queue, and one that goes away no longer counts', async () => {
  const task = { id: createTaskId('local', 'fetch-joke'), name: 'fetch-joke', status: 'running' } as Task;
  let taken = 0;
  const states: Subscription = {
    isOpen: true,
    wantsChanges: true,
    readNow: () => {},
    offer: () => true,
    next: async () => ({ ...task, attempt: ++taken }),
    close: () => {
      states.isOpen = false;
    },
  };
  const { app, metrics } = createEventApp(async () => task, { watch: () => states });

  const { body } = await app.request(`/tasks/${task.id}/events`);
  const reader = body?.getReader();
  for (let read = 0; read < 10; read += 1) await reader?.read();
  for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate);
  expect(taken).toBeLessThanOrEqual(15);
  const open = async () => (await metrics.openEventStreams.get()).values[0]?.value;
  expect(await open()).toBe(1);
  await reader?.cancel();
  await eventually(open, (count) => count === 0);
  expect(states.isOpen).toBe(false);
});
