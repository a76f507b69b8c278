import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, inject, onTestFinished } from 'vitest';
import { nodeArguments } from '../../cli/node-arguments.ts';
import { findFreePort, isListening } from '../../local/processes/ports.ts';
import { isAlive } from '../../local/processes/process-identity.ts';
import { readLock } from '../../local/start/lock-file.ts';
import { createDirectory, run, untilUnused, waitFor } from './processes.ts';

const script = fileURLToPath(new URL('../../scripts/start.ts', import.meta.url));

export type Task = { id: string; status: string; attempt: number; output?: { joke: string } };

/** A place of one test's own: DATA_DIR, free ports, and times short enough to see a killed worker's task again soon. */
export async function createPlace(more: Record<string, string> = {}) {
  const variables = ['PORT', 'EMBEDDED_TEMPORAL_PORT', 'EMBEDDED_TEMPORAL_UI_PORT', 'JOKE_API_PORT'] as const;
  const ports = Object.fromEntries(await Promise.all(variables.map(async (name) => [name, await findFreePort()])));
  const dataDir = join(createDirectory(), 'data');
  onTestFinished(() => untilUnused(dataDir));
  const env: Record<string, string> = {
    ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, `${port}`])),
    DATA_DIR: dataDir,
    TEMPORAL_CLI_PATH: inject('temporalCli'),
    HEARTBEAT_TIMEOUT: '1',
    BASE_DELAY: '0.2',
    SHUTDOWN_GRACE: '5',
    // Unset, whatever the shell or a .env says.
    ...Object.fromEntries(
      ['HOST', 'API_KEYS', 'API_BASE_URL', 'TEMPORAL_ADDRESS', 'LOG_LEVEL'].map((name) => [name, '']),
    ),
    ...more,
  };
  const url = `http://127.0.0.1:${ports.PORT}`;
  const readChildren = () => readLock(join(dataDir, 'lock.json'))?.children ?? [];
  const kill9 = async (name: string) => {
    const { pid } = await waitFor(() => readChildren().find((child) => child.name === name));
    process.kill(pid, 'SIGKILL');
    return pid;
  };
  return {
    env,
    dataDir,
    url,
    ports: Object.values(ports) as number[],
    jokeApi: `http://127.0.0.1:${ports.JOKE_API_PORT}`,
    readChildren,
    kill9,
  };
}

export type Place = Awaited<ReturnType<typeof createPlace>>;

export const start = ({ env }: Place, ...flags: string[]) =>
  run(process.execPath, [...nodeArguments(script), ...flags], env);

export async function untilReady({ lines, errors, child }: ReturnType<typeof run>) {
  await waitFor(() => {
    if (child.exitCode !== null) throw new Error([...lines, errors()].join('\n'));
    return lines.includes('Holdfast is ready.');
  }, 60_000);
}

/** Posts until it is accepted: while something is down the API answers 503, or does not answer. */
export const submit = ({ url }: Place) =>
  waitFor(async () => {
    const response = await fetch(`${url}/tasks/fetch-joke`, { method: 'POST' }).catch(() => undefined);
    return response?.status === 202 ? ((await response.json()) as Task) : undefined;
  }, 30_000);

const readTask = async ({ url }: Place, id: string) => {
  const response = await fetch(`${url}/tasks/${id}`).catch(() => undefined);
  return response?.ok ? ((await response.json()) as Task) : undefined;
};

export const untilCompleted = (place: Place, id: string) =>
  waitFor(async () => {
    const task = await readTask(place, id);
    return task?.status === 'completed' ? task : undefined;
  }, 40_000);

export const untilRunning = (place: Place, id: string) =>
  waitFor(async () => (await readTask(place, id))?.status === 'running', 20_000);

export async function expectNothingLeft({ ports, dataDir }: Place, children: Parameters<typeof isAlive>[0][]) {
  expect(children.filter(isAlive)).toEqual([]);
  expect(await Promise.all(ports.map(isListening))).toEqual(ports.map(() => false));
  expect(existsSync(join(dataDir, 'lock.json'))).toBe(false);
}
