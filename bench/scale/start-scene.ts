import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeArguments, workerMiB } from '../../cli/node-arguments.ts';
import type { Say } from '../../cli/progress.ts';
import { createTemporaryDirectory } from '../../cli/temporary-directory.ts';
import { startJokeApi } from '../../local/joke-api/create-joke-api.ts';
import { type Guarded, startGuarded } from '../../local/processes/guarded.ts';
import { findFreePort } from '../../local/processes/ports.ts';
import { startStack } from '../../local/stack/start-stack.ts';
import { waitUntilReady } from '../../local/start/readiness.ts';
import type { Submissions } from '../contender.ts';
import { startChild } from '../peer/child.ts';
import { readResources } from '../resources.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const client = fileURLToPath(new URL('../holdfast/client.mjs', import.meta.url));
const queue = 'bench-scale';

/**
 * Starts Holdfast with its embedded Temporal server, as `npm start` does. Also starts a second API process, which is
 * the measured one. It uses its own task queue, at first without workers. The worker of `npm start` gets no tasks.
 */
export async function startScene({ say, signal }: { say: Say; signal: AbortSignal }) {
  const { path: directory, remove } = createTemporaryDirectory('holdfast-scale-');
  const jokes = await startJokeApi();
  const started: { stop: () => Promise<unknown> }[] = [{ stop: async () => remove() }, { stop: () => jokes.close() }];
  const stop = async () => {
    for (const part of started.splice(0).reverse()) await part.stop();
  };
  try {
    const stack = await startStack({ say, signal, environment: { API_BASE_URL: jokes.url, LOG_LEVEL: 'warn' } });
    started.push(stack);
    const address = `127.0.0.1:${stack.temporalPort}`;
    const { engine } = stack.config();
    const port = String(await findFreePort());
    const url = `http://127.0.0.1:${port}`;
    const env = {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      TEMPORAL_ADDRESS: address,
      TASK_QUEUE: queue,
      ENGINE: engine,
      API_BASE_URL: jokes.url,
      PORT: port,
      LOG_LEVEL: 'warn',
    };
    const startNode = (script: string, semiSpaceMiB?: number): Promise<Guarded> =>
      startGuarded({
        command: process.execPath,
        args: nodeArguments(join(root, script), semiSpaceMiB),
        cwd: directory,
        env,
        logFile: join(directory, 'holdfast.log'),
        // This is longer than the time that a stopping worker gives its running attempts.
        endWithinMs: 45_000,
      });
    const api = await startNode('src/server.ts');
    started.push(api);
    await waitUntilReady([{ name: 'API', url: `${url}/health` }], { say, signal });
    const logFile = join(directory, 'client.log');
    const calling = await startChild({ script: client, env: { TEMPORAL_ADDRESS: address }, logFile });
    started.push(calling);

    const workers: Guarded[] = [];
    const setWorkers = async (count: number) => {
      await Promise.all(workers.splice(count).map((worker) => worker.stop()));
      while (workers.length < count) workers.push(await startNode('src/worker.ts', workerMiB));
    };
    started.push({ stop: () => setWorkers(0) });
    const serverPids = () => stack.children().flatMap(({ name, pid }) => (name === 'Temporal' ? [pid] : []));
    return {
      url,
      submit: (count: number, atOnce = 50) => calling.request<Submissions>('submitTasks', url, count, atOnce),
      completed: () => calling.request<number>('countTasks', engine, queue),
      setWorkers,
      read: () => ({
        server: readResources(serverPids()),
        api: readResources([api.pid]),
        worker: readResources(workers.map(({ pid }) => pid)),
      }),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

export type Scene = Awaited<ReturnType<typeof startScene>>;
