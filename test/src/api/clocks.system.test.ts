import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findFreePort } from '../../../local/processes/ports.ts';
import type { Task, TaskSummary } from '../../../src/api/views/schemas.ts';
import { eventually, type Holdfast, startHoldfast } from '../../support/holdfast.ts';
import { type StartedProcess, startProcess } from '../../support/start-process.ts';

// The tests compare a correct API with API processes whose clocks are wrong. `workerless` has no worker, so its tasks
// stay queued. All APIs have the same owner, so each one can read all tasks.
let holdfast: Holdfast;
let workerless: Holdfast;
/** The ids of open tasks, by the status that they keep during the tests. */
const ids: Record<string, string> = {};

beforeAll(async () => {
  holdfast = await startHoldfast({ HEARTBEAT_TIMEOUT: '1' });
  workerless = await startHoldfast();
  await holdfast.startWorker();
  const { rules } = holdfast.jokes;
  rules.add({ when: { category: 'retries' }, then: [{ status: 503, retryAfter: '45' }], repeat: true });
  rules.add({ when: { category: 'hangs' }, then: [{ hang: 'headers' }], repeat: true });
  ids.running = (await holdfast.submit({ category: 'hangs' })).id;
  ids.queued = (await workerless.submit()).id;
  for (const [status, id] of Object.entries(ids)) await holdfast.until(id, (task) => task.status === status);
});
/** Submits tasks that wait 45 s. By a clock that is 60 s ahead, these waits are over. */
async function submitWaiting() {
  const { id: retrying } = await holdfast.submit({ category: 'retries' });
  await holdfast.until(retrying, ({ status }) => status === 'retrying');
  const { body } = await holdfast.call('POST', '/tasks/fetch-joke?delay=45');
  return { retrying, scheduled: body.id as string };
}
afterAll(async () => {
  for (const id of [ids.running, ids.queued]) if (id) await holdfast.client.workflow.getHandle(id).terminate();
  await Promise.all([holdfast?.stop(), workerless?.stop()]);
});

/** Returns Node's options for a process whose clock is ahead by this many seconds. */
const toOptions = (seconds: number) => {
  const code = `const Real = Date;
    const now = () => Real.now() + ${1_000 * seconds};
    globalThis.Date = new Proxy(Real, {
      construct: (target, given, newTarget) => Reflect.construct(target, given.length > 0 ? given : [now()], newTarget),
      get: (target, key) => (key === 'now' ? now : Reflect.get(target, key)),
    });`;
  return `--import data:text/javascript,${encodeURIComponent(code)}`;
};

/** Starts an API process whose clock is ahead by this many seconds. */
async function startApi(seconds: number) {
  const port = await findFreePort();
  const { taskQueue, temporal } = holdfast.config;
  const api = startProcess('server', {
    TASK_QUEUE: taskQueue,
    TEMPORAL_ADDRESS: temporal.address,
    PORT: String(port),
    NODE_OPTIONS: toOptions(seconds),
  });
  const call = async (path: string, method = 'GET', body?: object) => {
    const json = body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, ...json });
    return { status: response.status, body: await response.json() };
  };
  await eventually(
    () => call('/health').catch(() => undefined),
    (answer) => answer?.status === 200,
  );
  return { api, call };
}

// -5 s: a running task read `scheduled`; -60 s: a retrying one too; +60 s: a retrying task read `queued` once its wait
// seemed over; +80 s: /ready was 503 for ever; +120 s: status=scheduled missed tasks.
describe.each([-60, -5, 60, 80, 120])('an API whose clock is %i s ahead of that of Temporal', (seconds) => {
  let api: StartedProcess;
  let call: Awaited<ReturnType<typeof startApi>>['call'];
  beforeAll(async () => {
    ({ api, call } = await startApi(seconds));
    Object.assign(ids, await submitWaiting());
  });
  afterAll(async () => {
    await Promise.all(
      [ids.retrying, ids.scheduled].map((id = '') => holdfast.client.workflow.getHandle(id).terminate()),
    );
    await api?.end();
  });

  test('shows the same tasks as any other', async () => {
    for (const [status, id] of Object.entries(ids)) {
      const { body } = await call(`/tasks/${id}`);
      expect(body).toEqual(await holdfast.read(id));
      expect((body as Task).status).toBe(status);
    }
  });

  test('lists each task with its status only', async () => {
    const { scheduled, ...open } = ids;
    const list = async (query: string) => {
      const { body } = await call(`/tasks?limit=1000${query}`);
      const ours = (body as { items: TaskSummary[] }).items.filter(({ id }) => Object.values(ids).includes(id));
      return ours.map(({ id, status }) => `${status} ${id}`).sort();
    };
    for (const [status, id] of Object.entries(ids))
      await expect.poll(() => list(`&status=${status}`)).toEqual([`${status} ${id}`]);
    const toOpen = (id: string) => `open ${id}`;
    expect(await list('&status=open')).toEqual(Object.values(open).map(toOpen).sort());
    expect(await list('')).toEqual([...Object.values(open).map(toOpen), `scheduled ${scheduled}`].sort());
  });

  test('is ready as soon as it has seen a worker poll', async () => {
    // An idle worker polls again after 15 s. It gets a first attempt without a poll (eager dispatch), but not a second.
    const category = `fails once ${seconds}`;
    holdfast.jokes.rules.add({ when: { category }, then: [{ status: 503 }] });
    await call('/ready');
    const { body } = await call('/tasks/fetch-joke', 'POST', { category });
    const shownAheadMs = Date.parse((body as Task).submittedAt) - Date.now();
    expect(Math.abs(shownAheadMs - 1_000 * seconds)).toBeLessThan(3_000);
    await eventually(
      () => call('/ready'),
      ({ status }) => status === 200,
      10_000,
    );
  });
});
