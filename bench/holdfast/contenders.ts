import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeArguments } from '../../cli/node-arguments.ts';
import { startGuarded } from '../../local/processes/guarded.ts';
import { findFreePort } from '../../local/processes/ports.ts';
import { type Stack, startStack } from '../../local/stack/start-stack.ts';
import { waitUntilReady } from '../../local/start/readiness.ts';
import { engines } from '../../src/contract.ts';
import type { Contender, Scene, Submissions } from '../contender.ts';
import { rowNames } from '../goals.ts';
import { baseEnvironment, startChild } from '../peer/child.ts';
import { idleQueue, startBare, withIdleQueue } from '../temporal/bare.ts';

const apiScript = fileURLToPath(new URL('../../src/server.ts', import.meta.url));
const client = fileURLToPath(new URL('client.mjs', import.meta.url));
const storage = 'SQLite, WAL, synchronous=NORMAL: kill -9 loses nothing';

type Engine = (typeof engines)[number];
type Part = { stop: () => Promise<unknown> };

/**
 * Starts Holdfast as `npm start` does, with one worker. Also starts a minimal Temporal worker and client, which use
 * the same Temporal server. There is a row for each engine, beside bare Temporal's same way.
 *
 * Here `pauseWorker` does not stop the worker. Instead, submissions during a pause go to a task queue without a worker,
 * so the worker gets no backlog. Further API processes of Holdfast use that queue.
 */
export async function startHoldfastContenders(scene: Scene): Promise<Contender[]> {
  const { say, signal, upstreamUrl } = scene;
  const stack = await startStack({ say, signal, environment: { API_BASE_URL: upstreamUrl, LOG_LEVEL: 'warn' } });
  const started: Part[] = [stack];
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

async function startBeside(stack: Stack, scene: Scene, started: Part[], stop: () => Promise<void>) {
  const { directory, say, signal } = scene;
  const address = `127.0.0.1:${stack.temporalPort}`;
  const { taskQueue } = stack.config();
  const start = async <T extends Part>(part: Promise<T>): Promise<T> => {
    started.push(await part);
    return part;
  };

  /** Starts an API process for one engine and one queue. */
  async function startApi(engine: Engine, queue: string) {
    const port = String(await findFreePort());
    const env = { PORT: port, TEMPORAL_ADDRESS: address, TASK_QUEUE: queue, ENGINE: engine, LOG_LEVEL: 'warn' };
    const { pid } = await start(
      startGuarded({
        command: process.execPath,
        args: nodeArguments(apiScript),
        cwd: directory,
        env: { ...baseEnvironment(), ...env },
        logFile: join(directory, 'holdfast.log'),
      }),
    );
    const url = `http://127.0.0.1:${port}`;
    await waitUntilReady([{ name: 'API', url: `${url}/health` }], { say, signal });
    return { url, pid };
  }

  const bare = await start(startBare(scene, address));
  const calling = await start(
    startChild({ script: client, env: { TEMPORAL_ADDRESS: address }, logFile: join(directory, 'holdfast-client.log') }),
  );
  const pidsOf = (...names: string[]) =>
    stack
      .children()
      .filter(({ name }) => names.includes(name))
      .map(({ pid }) => pid);
  const common = { storage, versions: bare.versions, stop };

  const single = await Promise.all(
    engines.map(async (engine) => {
      const own = engine === 'workflow' ? undefined : await startApi(engine, taskQueue);
      const url = own?.url ?? stack.url;
      const idle = await startApi(engine, idleQueue);
      const contender = {
        name: rowNames[engine],
        submit: (isPaused: boolean, count: number, atOnce: number) =>
          calling.request<Submissions>('submitTasks', isPaused ? idle.url : url, count, atOnce),
        execute: (count: number) => calling.request<number[]>('executeTasks', url, count),
        completed: () => calling.request<number>('countTasks', engine, taskQueue),
        pids: () => [...pidsOf('Temporal', 'worker'), ...(own ? [own.pid] : pidsOf('API')), calling.pid],
      };
      const bareName = engine === 'workflow' ? rowNames.bareWorkflow : rowNames.bareActivity;
      const beside = bare.toContender(bareName, engine, () => pidsOf('Temporal'), common);
      return { idle, contenders: [withIdleQueue(contender, common), beside] };
    }),
  );
  const batches = withIdleQueue(
    {
      name: rowNames.batch,
      submit: async (isPaused, count) => {
        const url = isPaused ? single[0]?.idle.url : stack.url;
        return calling.request<Submissions>('submitBatch', url, !isPaused, count);
      },
      completed: () => calling.request<number>('countBatches', stack.url),
      pids: () => [...pidsOf('Temporal', 'worker', 'API'), calling.pid],
    },
    common,
  );
  return [...single.flatMap(({ contenders }) => contenders), batches];
}
