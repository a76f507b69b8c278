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

/**
 * Returns what one test's `npm start` needs: a DATA_DIR, free ports, and timeouts so short that the task of a killed
 * worker soon runs again.
 */
export async function createInstallation(more: Record<string, string> = {}) {
  const variables = ['PORT', 'EMBEDDED_TEMPORAL_PORT', 'EMBEDDED_TEMPORAL_UI_PORT', 'JOKE_API_PORT'] as const;
  const ports = Object.fromEntries(await Promise.all(variables.map(async (name) => [name, await findFreePort()])));
  const dataDir = join(createDirectory(), 'data');
  onTestFinished(() => untilUnused(dataDir));
  const env: Record<string, string> = {
    ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, `${port}`])),
    DATA_DIR: dataDir,
    TEMPORAL_CLI_PATH: inject('temporal').path,
    HEARTBEAT_TIMEOUT: '1',
    BASE_DELAY: '0.2',
    SHUTDOWN_GRACE: '5',
    // These are unset even if the shell or a .env sets them.
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

export type Installation = Awaited<ReturnType<typeof createInstallation>>;

export const start = ({ env }: Installation, ...flags: string[]) =>
  run(process.execPath, [...nodeArguments(script), ...flags], env);

export async function untilReady({ lines, errors, child }: ReturnType<typeof run>) {
  await waitFor(() => {
    if (child.exitCode !== null) throw new Error([...lines, errors()].join('\n'));
    return lines.includes('Holdfast is ready.');
  }, 60_000);
}

/** Posts until a task is accepted. While something is down, the API answers 503 or does not answer. */
export const submit = ({ url }: Installation) =>
  waitFor(async () => {
    const response = await fetch(`${url}/tasks/fetch-joke`, { method: 'POST' }).catch(() => undefined);
    return response?.status === 202 ? ((await response.json()) as Task) : undefined;
  }, 30_000);

const readTask = async ({ url }: Installation, id: string) => {
  const response = await fetch(`${url}/tasks/${id}`).catch(() => undefined);
  return response?.ok ? ((await response.json()) as Task) : undefined;
};

export const untilCompleted = (installation: Installation, id: string) =>
  waitFor(async () => {
    const task = await readTask(installation, id);
    return task?.status === 'completed' ? task : undefined;
  }, 40_000);

export const untilRunning = (installation: Installation, id: string) =>
  waitFor(async () => (await readTask(installation, id))?.status === 'running', 20_000);

export async function expectNothingLeft({ ports, dataDir }: Installation, children: Parameters<typeof isAlive>[0][]) {
  expect(children.filter(isAlive)).toEqual([]);
  expect(await Promise.all(ports.map(isListening))).toEqual(ports.map(() => false));
  expect(existsSync(join(dataDir, 'lock.json'))).toBe(false);
}
