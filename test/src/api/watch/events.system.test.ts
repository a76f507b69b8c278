import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { findFreePort } from '../../../../local/processes/ports.ts';
import type { Task } from '../../../../src/api/views/schemas.ts';
import { openEvents } from '../../../support/event-stream.ts';
import { eventually, type Holdfast, startHoldfast } from '../../../support/holdfast.ts';
import { createOwnTemporal } from '../../../support/own-temporal.ts';
import { expectProblem } from '../../../support/problem.ts';
import { startProcess } from '../../../support/start-process.ts';

let workerless: Holdfast;

beforeAll(async () => {
  workerless = await startHoldfast();
});
afterAll(() => workerless?.stop());

const follow = (id: string, at: Holdfast) => openEvents(`${at.url}/tasks/${id}/events`);

/** Reads the metric `holdfast_open_event_streams`. */
const readOpen = async (at: Holdfast) => {
  const page = await (await fetch(`${at.url}/metrics`)).text();
  return Number(/^holdfast_open_event_streams (\d+)$/m.exec(page)?.[1]);
};

// Seen to fail when the limit was 501, and when streams still counted after their end.
test('500 streams can be open at once, and one more is refused until another ends', async () => {
  const own = await startHoldfast();
  try {
    const { id } = await own.submit();
    const path = `/tasks/${id}/events`;
    const streams = await Promise.all(Array.from({ length: 500 }, () => follow(id, own)));
    expect(new Set(streams.map(({ status }) => status))).toEqual(new Set([200]));
    const refused = await own.call('GET', path);
    expect(expectProblem(refused, 'too-many-streams').retryable).toBe(true);
    expect(refused.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    expect((await own.call('GET', `/tasks/${id}`)).status).toBe(200);

    streams[0]?.leave();
    const again = await eventually(
      () => follow(id, own),
      ({ status }) => status === 200,
    );
    expect(await again.next()).toMatchObject({ task: { id } });
    expectProblem(await own.call('GET', path), 'too-many-streams');
  } finally {
    await own.stop();
  }
}, 60_000);

// Seen to fail without the heartbeat.
test('an idle stream sends a comment as heartbeat every 15 s', async () => {
  const { id } = await workerless.submit();
  const socket = connect(Number(new URL(workerless.url).port), '127.0.0.1');
  await once(socket, 'connect');
  let received = '';
  socket.setEncoding('utf8').on('data', (text) => (received += text));
  const started = performance.now();
  socket.write(`GET /tasks/${id}/events HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  await eventually(
    () => received,
    (text) => /^: /m.test(text),
  );
  expect(performance.now() - started).toBeGreaterThan(14_500);
  expect(performance.now() - started).toBeLessThan(17_000);
  socket.destroy();
  await eventually(
    () => readOpen(workerless),
    (open) => open === 0,
  );
}, 30_000);

// Seen to fail when `stopping` did not reach the watcher, and when connections that became idle later stayed open.
test('a stopping server ends its streams and waiting calls, and exits at once', async () => {
  const port = await findFreePort();
  const { id } = await workerless.submit();
  const server = startProcess('server', {
    TEMPORAL_ADDRESS: workerless.config.temporal.address,
    TASK_QUEUE: workerless.config.taskQueue,
    PORT: `${port}`,
    LOG_LEVEL: 'info',
  });
  try {
    await server.waitForOutput('API listens');
    const url = `http://127.0.0.1:${port}`;
    const streams = await Promise.all(Array.from({ length: 5 }, () => openEvents(`${url}/tasks/${id}/events`)));
    await Promise.all(streams.map((stream) => stream.next()));
    const submittedAt = new Date().toISOString();
    const waiting = fetch(`${url}/tasks/fetch-joke?wait=60`, { method: 'POST' });
    await eventually(
      async (): Promise<Task[]> => (await workerless.call('GET', '/tasks?limit=10')).body.items,
      (tasks) => tasks.some((task) => task.submittedAt >= submittedAt),
    );
    const started = performance.now();
    const code = server.end('SIGTERM');
    expect(await Promise.all(streams.map((stream) => stream.next()))).toEqual(streams.map(() => undefined));
    expect((await waiting).status).toBe(202);
    expect(await code).toBe(0);
    expect(performance.now() - started).toBeLessThan(2_500);
  } finally {
    await server.end('SIGKILL');
  }
}, 60_000);

// Seen to fail when one lost call ended the stream.
test('a stream survives a kill and restart of Temporal, and shows how the task ended', async () => {
  const temporal = await createOwnTemporal();
  await temporal.start();
  const own = await startHoldfast({ TEMPORAL_ADDRESS: temporal.address, BASE_DELAY: '1' });
  try {
    await own.startWorker();
    own.jokes.rules.add({ when: { category: 'late' }, then: [{ status: 503, retryAfter: '3' }, {}] });
    const { id } = await own.submit({ category: 'late' });
    const stream = await follow(id, own);
    for (let seen = await stream.next(); seen?.task.status !== 'retrying'; seen = await stream.next()) {
      expect(seen).toBeDefined();
    }
    const describes = vi.spyOn(own.client.workflowService, 'describeWorkflowExecution');
    await temporal.kill();
    await eventually(
      () => describes.mock.settledResults.filter(({ type }) => type === 'rejected').length,
      (lost) => lost >= 2,
    );
    const impatient = new AbortController();
    const left = fetch(`${own.url}/tasks/${id}/events`, { signal: impatient.signal }).catch(() => undefined);
    const late = await follow(id, own);
    expect(late.status).toBe(200);
    impatient.abort();
    await left;
    await eventually(
      () => readOpen(own),
      (open) => open === 2,
    );
    await temporal.start();
    expect(await late.next()).toMatchObject({ task: { id } });
    late.leave();
    const rest = await stream.rest();
    expect(rest.at(-1)?.task).toMatchObject({ id, status: 'completed', attempt: 2 });
  } finally {
    await own.stop();
    await temporal.remove();
  }
}, 120_000);
