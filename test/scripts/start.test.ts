import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Connection } from '@temporalio/client';
import { expect, inject, test } from 'vitest';
import { nodeArguments } from '../../scripts/node-arguments.ts';
import { readLock } from '../../scripts/start/lock.ts';
import { isAlive } from '../../scripts/start/process-identity.ts';
import { usesJokeApi } from '../../scripts/start/upstream.ts';
import { loadConfig } from '../../src/config.ts';
import { findFreePort } from '../../src/monitor.ts';
import { createDirectory, run, waitFor } from './processes.ts';

type Task = { id: string; status: string; attempt: number; output?: { joke: string } };

const script = fileURLToPath(new URL('../../scripts/start.ts', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));

/** A place of one test's own: DATA_DIR, free ports, and times short enough to see a killed worker's task again soon. */
async function createPlace(more: Record<string, string> = {}) {
  const variables = ['PORT', 'EMBEDDED_TEMPORAL_PORT', 'EMBEDDED_TEMPORAL_UI_PORT', 'JOKE_API_PORT'] as const;
  const ports = Object.fromEntries(await Promise.all(variables.map(async (name) => [name, await findFreePort()])));
  const dataDir = join(createDirectory(), 'data');
  const env: Record<string, string> = {
    ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, `${port}`])),
    DATA_DIR: dataDir,
    TEMPORAL_CLI_PATH: inject('temporalCli'),
    HEARTBEAT_TIMEOUT: '1',
    BASE_DELAY: '0.2',
    SHUTDOWN_GRACE: '5',
    ...more,
  };
  const url = `http://127.0.0.1:${ports.PORT}`;
  const readChildren = () => readLock(join(dataDir, 'lock.json'))?.children ?? [];
  return {
    env,
    dataDir,
    url,
    ports: Object.values(ports) as number[],
    jokeApi: `http://127.0.0.1:${ports.JOKE_API_PORT}`,
    readChildren,
  };
}

type Place = Awaited<ReturnType<typeof createPlace>>;

const start = ({ env }: Place, ...flags: string[]) => run(process.execPath, [...nodeArguments(script), ...flags], env);

async function untilReady({ lines, child }: ReturnType<typeof run>) {
  await waitFor(() => {
    if (child.exitCode !== null) throw new Error(lines.join('\n'));
    return lines.includes('Holdfast is ready.');
  }, 60_000);
}

/** Posts until it is accepted: while something is down the API answers 503, or does not answer. */
const submit = ({ url }: Place) =>
  waitFor(async () => {
    const response = await fetch(`${url}/tasks/fetch-joke`, { method: 'POST' }).catch(() => undefined);
    return response?.status === 202 ? ((await response.json()) as Task) : undefined;
  }, 30_000);

const readTask = async ({ url }: Place, id: string) => {
  const response = await fetch(`${url}/tasks/${id}`).catch(() => undefined);
  return response?.ok ? ((await response.json()) as Task) : undefined;
};

const untilCompleted = (place: Place, id: string) =>
  waitFor(async () => {
    const task = await readTask(place, id);
    return task?.status === 'completed' ? task : undefined;
  }, 40_000);

const untilRunning = (place: Place, id: string) =>
  waitFor(async () => (await readTask(place, id))?.status === 'running', 20_000);

const isListening = (port: number) =>
  new Promise<boolean>((settle) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => settle(false)).once('connect', () => settle(Boolean(socket.destroy())));
  });

async function expectNothingLeft({ ports, dataDir }: Place, children: Parameters<typeof isAlive>[0][]) {
  expect(children.filter(isAlive)).toEqual([]);
  expect(await Promise.all(ports.map(isListening))).toEqual(ports.map(() => false));
  expect(existsSync(join(dataDir, 'lock.json'))).toBe(false);
}

test('every accepted task ends, whichever process is killed with -9 meanwhile, npm start itself included', async () => {
  const place = await createPlace();
  const first = start(place, '--demo');
  await untilReady(first);
  const begin = place.readChildren();
  expect(begin.map(({ name }) => name)).toEqual(['watchdog', 'Temporal', 'joke API', 'worker', 'API']);
  const { output } = await untilCompleted(place, (await submit(place)).id);
  expect(output?.joke).toMatch(/\S/);

  const rival = start(place, '--demo');
  await expect(rival.ended).resolves.toEqual([1, null]);
  expect(rival.errors()).toContain(`already runs on DATA_DIR ${place.dataDir} (pid ${first.pid})`);

  const slow = { then: [{ delayMs: 1_500 }], repeat: true };
  await fetch(`${place.jokeApi}/admin/rules`, { method: 'POST', body: JSON.stringify(slow) });
  const accepted: Task[] = [];
  for (const name of ['worker', 'API', 'Temporal']) {
    accepted.push(await submit(place), await submit(place));
    await untilRunning(place, accepted.at(-1)?.id ?? '');
    const victim = place.readChildren().find((child) => child.name === name);
    process.kill(victim?.pid ?? 0, 'SIGKILL');
    await waitFor(() =>
      first.lines.some((line) => line.startsWith(`${name} (pid ${victim?.pid}) ended with signal SIGKILL`)),
    );
  }
  for (const { id } of accepted) await untilCompleted(place, id);

  accepted.push(await submit(place));
  await untilRunning(place, accepted.at(-1)?.id ?? '');
  const orphans = place.readChildren();
  expect(orphans).toHaveLength(5);
  // Without the watchdog the Temporal binary lives on: the next start must end it before it opens the database.
  process.kill(orphans.find(({ name }) => name === 'watchdog')?.pid ?? 0, 'SIGKILL');
  first.child.kill('SIGKILL');
  const second = start(place, '--demo');
  await untilReady(second);
  expect(second.lines.join('\n')).toMatch(/Ending Temporal \(pid \d+\), left behind by an earlier start/);
  expect(orphans.filter(isAlive)).toEqual([]);
  for (const { id } of accepted) await untilCompleted(place, id);

  const children = place.readChildren();
  second.child.kill('SIGINT');
  await expect(second.ended).resolves.toEqual([130, null]);
  await expectNothingLeft(place, children);
}, 120_000);

test('kill -9 of npm, the parent of the start, stops everything in order', async () => {
  const place = await createPlace();
  const npm = run('npm', ['start', '--prefix', root, '--', '--demo'], place.env);
  await untilReady(npm);
  const lock = readLock(join(place.dataDir, 'lock.json'));
  expect(lock?.children).toHaveLength(5);
  npm.child.kill('SIGKILL');
  await waitFor(() => lock && !isAlive(lock), 20_000);
  await expectNothingLeft(place, lock?.children ?? []);
}, 90_000);

test('with TEMPORAL_ADDRESS starts no server and uses that one; --demo wins over API_BASE_URL and says so', async () => {
  const place = await createPlace({
    TEMPORAL_ADDRESS: inject('devServer'),
    TASK_QUEUE: `start-${process.pid}`,
    API_BASE_URL: 'http://127.0.0.1:9',
  });
  const started = start(place, '--demo');
  await untilReady(started);
  expect(place.readChildren().map(({ name }) => name)).toEqual(['watchdog', 'joke API', 'worker', 'API']);
  expect(started.lines.join('\n')).not.toContain('Web UI');
  expect(started.lines[0]).toContain('not from API_BASE_URL=http://127.0.0.1:9');
  await untilCompleted(place, (await submit(place)).id);
  started.child.kill('SIGTERM');
  await expect(started.ended).resolves.toEqual([143, null]);
}, 90_000);

test('the embedded server keeps finished tasks for RETENTION_DAYS, in the namespace that is configured', async () => {
  const place = await createPlace({ RETENTION_DAYS: '3', TEMPORAL_NAMESPACE: 'jokes' });
  const started = start(place, '--demo');
  await untilReady(started);
  const connection = Connection.lazy({ address: `127.0.0.1:${place.env.EMBEDDED_TEMPORAL_PORT}` });
  const { config } = await connection.workflowService.describeNamespace({ namespace: 'jokes' });
  await connection.close();
  expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(3 * 86_400);
  await untilCompleted(place, (await submit(place)).id);
  started.child.kill('SIGTERM');
  await started.ended;
}, 90_000);

test('falls back to the joke API only for a default upstream out of reach, and says so loudly', async () => {
  const said: string[] = [];
  const options = { demo: false, say: (line: string) => said.push(line) };
  const outOfReach = { ...loadConfig({}), upstreamUrl: 'http://127.0.0.1:9' };
  await expect(usesJokeApi(outOfReach, options)).resolves.toBe(true);
  expect(said).toEqual([expect.stringMatching(/^\*\*\* http:\/\/127\.0\.0\.1:9 CANNOT BE REACHED/)]);
  await expect(usesJokeApi({ ...outOfReach, upstreamIsDefault: false }, options)).resolves.toBe(false);
  const failing = createServer((_, response) => response.writeHead(503).end()).listen(0, '127.0.0.1');
  await once(failing, 'listening');
  const upstreamUrl = `http://127.0.0.1:${(failing.address() as AddressInfo).port}`;
  await expect(usesJokeApi({ ...outOfReach, upstreamUrl }, options)).resolves.toBe(false);
  failing.close();
});

test('names each taken port with its variable, and starts nothing', async () => {
  const place = await createPlace();
  const taken = run(process.execPath, [
    '-e',
    `require('net').createServer().listen(${place.env.PORT}, '127.0.0.1', () => console.log('up'))`,
  ]);
  await waitFor(() => taken.lines.includes('up'));
  const refused = start(
    { ...place, env: { ...place.env, JOKE_API_PORT: `${place.env.EMBEDDED_TEMPORAL_PORT}` } },
    '--demo',
  );
  await expect(refused.ended).resolves.toEqual([1, null]);
  expect(refused.errors()).toContain(`Port ${place.env.PORT} (PORT) is taken`);
  expect(refused.errors()).toContain('wanted twice, by EMBEDDED_TEMPORAL_PORT and JOKE_API_PORT');
  expect(existsSync(join(place.dataDir, 'temporal.db'))).toBe(false);
});

test('refuses a database that a server started by hand has open', async () => {
  const place = await createPlace();
  mkdirSync(place.dataDir);
  const byHand = run(inject('temporalCli'), [
    ...['server', 'start-dev', '--headless', '--port', `${await findFreePort()}`],
    ...['--db-filename', join(place.dataDir, 'temporal.db')],
  ]);
  await waitFor(() => byHand.lines.some((line) => line.startsWith('Server:')));
  const refused = start(place, '--demo');
  await expect(refused.ended).resolves.toEqual([1, null]);
  expect(refused.errors()).toContain(`temporal.db is open in process ${byHand.pid}`);
});

test.each([
  ['an unknown flag', ['--fast'], {}, 2, '--fast'],
  ['an argument', ['demo'], {}, 2, 'demo'],
  ['a bad configuration', [], { PORT: 'x', WORKERS: '0' }, 78, 'WORKERS'],
])('ends at once on %s, touching nothing', async (_, flags, env, code, fault) => {
  const place = await createPlace(env);
  const started = start(place, ...flags);
  await expect(started.ended).resolves.toEqual([code, null]);
  expect(started.errors()).toContain(fault);
  expect(existsSync(place.dataDir)).toBe(false);
});
