import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeArguments } from '../../cli/node-arguments.ts';
import { type Guarded, startGuarded } from '../../local/processes/guarded.ts';
import { findFreePort } from '../../local/processes/ports.ts';
import { type Stack, startStack } from '../../local/stack/start-stack.ts';
import { waitUntilReady } from '../../local/start/readiness.ts';
import type { Contender, Scene, Submissions } from '../contender.ts';
import { type Child, startChild } from '../peer/child.ts';

const { dependencies } = createRequire(import.meta.url)('../../package.json') as {
  dependencies: Record<string, string>;
};
const root = fileURLToPath(new URL('../..', import.meta.url));
const client = fileURLToPath(new URL('client.mjs', import.meta.url));
const idleQueue = 'bench-idle';
const plainQueue = 'bench-plain';
const storage = 'SQLite, WAL, synchronous=NORMAL: kill -9 loses nothing';

/**
 * Starts Holdfast as `npm start` does, with one worker. Also starts a minimal Temporal worker and client, which use
 * the same Temporal server.
 *
 * Here `pauseWorker` does not stop the worker. Instead, submissions during a pause go to a task queue without a worker,
 * so the worker gets no backlog. A second API process of Holdfast uses that queue.
 */
export async function startHoldfastContenders(scene: Scene): Promise<Contender[]> {
  const { say, signal, upstreamUrl } = scene;
  const stack = await startStack({ say, signal, environment: { API_BASE_URL: upstreamUrl, LOG_LEVEL: 'warn' } });
  const started: { stop: () => Promise<unknown> }[] = [stack];
  const stop = async () => {
    for (const part of started.splice(0).reverse()) await part.stop();
  };
  try {
    return await startBeside(stack, scene, started, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startBeside(
  stack: Stack,
  { directory, upstreamUrl, say, signal }: Scene,
  started: { stop: () => Promise<unknown> }[],
  stop: () => Promise<void>,
): Promise<Contender[]> {
  const address = `127.0.0.1:${stack.temporalPort}`;
  const port = String(await findFreePort());
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, TEMPORAL_ADDRESS: address, LOG_LEVEL: 'warn' };
  const startNode = async (script: string, more: NodeJS.ProcessEnv): Promise<Guarded> => {
    const args = nodeArguments(join(root, script));
    const logFile = join(directory, 'holdfast.log');
    const part = await startGuarded({
      command: process.execPath,
      args,
      cwd: directory,
      env: { ...env, ...more },
      logFile,
    });
    started.push(part);
    return part;
  };
  await startNode('src/server.ts', { PORT: port, TASK_QUEUE: idleQueue });
  const plainWorker = await startNode('bench/temporal/worker.ts', { API_BASE_URL: upstreamUrl });
  const urls = { API_URL: stack.url, IDLE_API_URL: `http://127.0.0.1:${port}` };
  await waitUntilReady([{ name: 'API', url: `${urls.IDLE_API_URL}/health` }], { say, signal });
  const calling: Child = await startChild({
    script: client,
    env: { ...urls, TEMPORAL_ADDRESS: address, UPSTREAM_URL: upstreamUrl },
    logFile: join(directory, 'holdfast-client.log'),
  });
  started.push(calling);

  const pidsOf = (...names: string[]) =>
    stack
      .children()
      .filter(({ name }) => names.includes(name))
      .map(({ pid }) => pid);
  const versions = [
    `Temporal server ${await calling.request<string>('readServerVersion')}`,
    `Temporal SDK ${dependencies['@temporalio/worker']}`,
    `Node ${process.versions.node}`,
  ];
  const withQueue = (
    work: (
      isIdle: boolean,
    ) => Omit<Contender, 'storage' | 'versions' | 'leavesNoBacklog' | 'pauseWorker' | 'resumeWorker' | 'stop'>,
  ): Contender => {
    let isIdle = false;
    return {
      ...work(false),
      submit: (count, atOnce) => work(isIdle).submit(count, atOnce),
      leavesNoBacklog: true,
      storage,
      versions,
      async pauseWorker() {
        isIdle = true;
      },
      async resumeWorker() {
        isIdle = false;
      },
      stop,
    };
  };
  return [
    withQueue((isIdle) => ({
      name: 'Holdfast, single tasks',
      submit: (count, atOnce) => calling.request<Submissions>('submitTasks', isIdle, count, atOnce),
      completed: () => calling.request('countTasks', stack.config().taskQueue),
      pids: () => [...pidsOf('Temporal', 'worker', 'API'), calling.pid],
    })),
    withQueue((isIdle) => ({
      name: 'bare Temporal',
      submit: (count, atOnce) =>
        calling.request<Submissions>('submitPlain', isIdle ? idleQueue : plainQueue, count, atOnce),
      completed: () => calling.request('countPlain', plainQueue),
      pids: () => [...pidsOf('Temporal'), plainWorker.pid, calling.pid],
    })),
    withQueue((isIdle) => ({
      name: 'Holdfast, batches',
      submit: (count) => calling.request<Submissions>('submitBatch', isIdle, count),
      completed: () => calling.request('countBatches'),
      pids: () => [...pidsOf('Temporal', 'worker', 'API'), calling.pid],
    })),
  ];
}
