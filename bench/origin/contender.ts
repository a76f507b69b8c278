import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { SetupError } from '../../cli/setup-error.ts';
import { until } from '../../cli/until.ts';
import { startPostgres } from '../../local/databases/postgres.ts';
import { toOneLine } from '../../local/obtain/first-working.ts';
import { type Guarded, startGuarded } from '../../local/processes/guarded.ts';
import { findFreePort, isListening } from '../../local/processes/ports.ts';
import type { Contender, Scene, StartContender, Submissions } from '../contender.ts';
import { baseEnvironment, type Child, startChild } from '../peer/child.ts';
import { orSkipped } from '../peer/node-peer.ts';
import { postgresStorage } from '../peer/postgres-store.ts';
import { toChildPids } from '../resources.ts';
import { obtainPython, readPythonVersions } from './python.ts';

const home = fileURLToPath(new URL('.', import.meta.url));
const client = fileURLToPath(new URL('client.mjs', import.meta.url));
const upWithinMs = 30_000;
const concurrency = 10;

async function start(scene: Scene): Promise<Contender> {
  const { say, signal, upstreamUrl } = scene;
  const python = await obtainPython(scene);
  const directory = join(scene.directory, 'old-stack');
  await mkdir(directory, { recursive: true });
  const postgres = await startPostgres({ directory: join(directory, 'store'), say, signal });
  const port = await findFreePort();
  const env = {
    ...baseEnvironment(),
    API_BASE_URL: upstreamUrl,
    DATABASE_URL: postgres.toUrl(),
    WORKER_CONCURRENCY: String(concurrency),
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONUNBUFFERED: '1',
  };
  const procrastinate = ['-m', 'procrastinate', '--app=app.procrastinate_app.app'];
  const startPython = (name: string, ...args: string[]) =>
    startGuarded({ command: python, args, cwd: home, env, logFile: join(directory, `${name}.log`) });
  // No readiness check is needed: a round measures completions only after the worker has processed a backlog.
  const startWorker = () => startPython('worker', ...procrastinate, 'worker', `--concurrency=${concurrency}`);
  let api: Guarded | undefined;
  let worker: Guarded | undefined;
  let submitting: Child | undefined;

  async function stop() {
    await submitting?.stop();
    await worker?.stop();
    await api?.stop();
    await postgres.stop();
    await rm(directory, { recursive: true, force: true });
  }

  try {
    const schema = [...procrastinate, 'schema', '--apply'];
    await execa(python, schema, { cwd: home, env, cancelSignal: signal }).catch((error: unknown) => {
      throw new SetupError(`procrastinate schema --apply failed: ${toOneLine(error)}`);
    });
    const server = ['-m', 'uvicorn', 'app.main:app', '--port', String(port)];
    api = await startPython('api', ...server);
    const { isAlive } = api;
    const onTimeout = () => `uvicorn did not start in ${home}`;
    const listens = async () => {
      if (!isAlive()) throw new SetupError(onTimeout());
      return await isListening(port);
    };
    await until(listens, { withinMs: upWithinMs, signal, onTimeout });
    worker = await startWorker();
    const url = `http://127.0.0.1:${port}`;
    submitting = await startChild({ script: client, env: { API_URL: url }, logFile: join(directory, 'client.log') });
  } catch (error) {
    await stop();
    throw error;
  }
  const [caller, server] = [submitting, api];

  return {
    name: 'FastAPI + Procrastinate',
    versions: [...(await readPythonVersions(python)), postgres.version],
    storage: postgresStorage,
    submit: (count, atOnce) => caller.request<Submissions>('submit', count, atOnce),
    execute: (count) => caller.request<number[]>('execute', count),
    completed: () => caller.request<number>('completed'),
    async pauseWorker() {
      await worker?.stop();
      worker = undefined;
    },
    async resumeWorker() {
      worker ??= await startWorker();
    },
    pids: () => [server.pid, ...(worker ? [worker.pid] : []), postgres.pid, ...toChildPids(postgres.pid)],
    stop,
  };
}

/** Starts the stack that Holdfast replaces: FastAPI, Procrastinate and PostgreSQL, as in that stack's testing guide. */
export const startOrigin: StartContender = (scene) => orSkipped(start(scene));
