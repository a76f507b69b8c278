import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findFreePort } from '../../../../local/processes/ports.ts';
import { createTaskId } from '../../../../src/api/views/task-id.ts';
import { eventually, type Holdfast, startHoldfast } from '../../../support/holdfast.ts';
import { signIn, toSecret } from '../../../support/signed-in.ts';
import { type StartedProcess, startProcess } from '../../../support/start-process.ts';

const owner = `two-apis-${randomUUID().slice(0, 8)}`;
const secret = toSecret(owner);
const apiKeys = { API_KEYS: `${owner}:${secret}` };

// `holdfast` reads the tasks that two separate API processes start on the same queue.
let holdfast: Holdfast;
let processes: (StartedProcess & { url: string })[] = [];

beforeAll(async () => {
  holdfast = await startHoldfast(apiKeys);
  processes = await Promise.all(
    [1, 2].map(async () => {
      const port = String(await findFreePort());
      const { taskQueue, temporal } = holdfast.config;
      const environment = { ...apiKeys, PORT: port, TASK_QUEUE: taskQueue, TEMPORAL_ADDRESS: temporal.address };
      const child = startProcess('server', { ...environment, LOG_LEVEL: 'info' });
      await child.waitForOutput('API listens');
      return { ...child, url: `http://127.0.0.1:${port}` };
    }),
  );
});
afterAll(async () => {
  await Promise.all(processes.map((child) => child.end('SIGKILL')));
  await holdfast?.stop();
});

/** Returns the ids of this owner's tasks once the list, which lags behind, has at least `count`. */
async function untilListed(count: number): Promise<string[]> {
  const items = await eventually(
    async () => (await signIn(holdfast, secret).call('GET', '/tasks?limit=1000')).body.items as { id: string }[],
    ({ length }) => length >= count,
  );
  return items.map(({ id }) => id);
}

// Seen to fail when `createTaskId` ignored the key.
test('100 submissions under each of 100 keys are exactly 100 tasks, although one of two API processes is killed', async () => {
  const keys = Array.from({ length: 100 }, () => randomUUID());
  const dispatcher = new Agent({ connections: 100 });
  const answered = new Map<string, Set<string>>(keys.map((key) => [key, new Set()]));
  let accepted = 0;
  let lost = 0;
  let killed: Promise<unknown> | undefined;

  /** Repeats a call until it is accepted, as a client does that does not know the outcome. */
  async function submit(key: string, index: number) {
    for (let attempt = 0; ; attempt += 1) {
      const { url } = processes[(index + attempt) % processes.length] as { url: string };
      const answer = await request(`${url}/tasks/fetch-joke`, {
        method: 'POST',
        headers: { authorization: `Bearer ${secret}`, 'idempotency-key': key },
        dispatcher,
      }).catch(() => undefined);
      const text = await answer?.body.text().catch(() => undefined);
      if (answer?.statusCode === 202 && text) {
        answered.get(key)?.add(JSON.parse(text).id);
        accepted += 1;
        // About a fifth of the submissions have been accepted.
        if (accepted === 2_000) killed = processes[0]?.end('SIGKILL');
        return;
      }
      if (answer && answer.statusCode !== 503) throw new Error(`${answer.statusCode}: ${text}`);
      lost += 1;
    }
  }
  await Promise.all(Array.from({ length: 10_000 }, (_, index) => submit(keys[index % 100] as string, index)));
  await dispatcher.close();
  await killed;

  expect(accepted).toBe(10_000);
  expect(lost).toBeGreaterThan(0);
  expect([...answered.values()].map(({ size }) => size)).toEqual(keys.map(() => 1));
  const ids = await untilListed(100);
  expect(new Set(ids)).toEqual(new Set([...answered.values()].flatMap((each) => [...each])));
  expect(ids).toHaveLength(100);
}, 300_000);

// Seen to fail when `createTaskId` ignored the key.
test('a client that goes away at any byte of its request has started one task or none, and its retry makes exactly one', async () => {
  const { url } = processes[1] as { url: string };
  const before = await untilListed(0);
  const keys: string[] = [];
  for (let round = 0; round < 40; round += 1) {
    const key = randomUUID();
    keys.push(key);
    const body = JSON.stringify({ category: key });
    const head = `POST /tasks/fetch-joke HTTP/1.1\r\nHost: ${new URL(url).host}\r\nAuthorization: Bearer ${secret}\r\n`;
    const text = `${head}Idempotency-Key: ${key}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    // Every fourth request is complete, but its client does not wait for the answer.
    const cut = round % 4 === 0 ? text.length : Math.floor(Math.random() * text.length);
    await leaveAfter(url, text.slice(0, cut));
    const id = createTaskId(owner, 'fetch-joke', key);
    const early = await signIn(holdfast, secret).call('GET', `/tasks/${id}`);
    expect([200, 404], `cut at ${cut} of ${text.length}`).toContain(early.status);
    if (cut < text.length) expect(early.status, `cut at ${cut} of ${text.length}`).toBe(404);
    const retried = await request(`${url}/tasks/fetch-joke`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'idempotency-key': key, 'content-type': 'application/json' },
      body,
    });
    expect(retried.statusCode, `cut at ${cut} of ${text.length}`).toBe(202);
    expect(await retried.body.json()).toMatchObject({ id, input: { category: key } });
  }
  const started = (await untilListed(before.length + keys.length)).filter((id) => !before.includes(id));
  expect(new Set(started)).toEqual(new Set(keys.map((key) => createTaskId(owner, 'fetch-joke', key))));
  expect(started).toHaveLength(keys.length);
}, 120_000);

/** Writes these bytes, and resets the connection as soon as they are sent. */
const leaveAfter = (url: string, text: string) =>
  new Promise<void>((resolve) => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname, () => socket.write(text, () => socket.resetAndDestroy()));
    socket.on('error', () => {}).once('close', () => resolve());
  });
