import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeArguments, workerMiB } from '../../cli/node-arguments.ts';
import { startGuarded } from '../../local/processes/guarded.ts';
import type { Contender, Scene, Submissions } from '../contender.ts';
import { baseEnvironment, startChild } from '../peer/child.ts';

const { dependencies } = createRequire(import.meta.url)('../../package.json') as {
  dependencies: Record<string, string>;
};
const worker = fileURLToPath(new URL('worker.ts', import.meta.url));
const client = fileURLToPath(new URL('client.mjs', import.meta.url));
const queue = 'bench-plain';

/** The task queue without a worker. Submissions during a pause go there, so the resumed worker has no backlog. */
export const idleQueue = 'bench-idle';

/** A contender whose worker is never stopped. `submit` gets whether the worker is paused. */
type Unpaused = Pick<Contender, 'name' | 'completed' | 'pids'> & {
  submit(isPaused: boolean, count: number, atOnce: number): Promise<Submissions>;
  execute?: Contender['execute'];
};
type Common = Pick<Contender, 'storage' | 'versions' | 'stop'>;

/** Makes a contender out of one whose worker is never stopped. */
export function withIdleQueue({ submit, ...work }: Unpaused, common: Common): Contender {
  let isPaused = false;
  return {
    ...common,
    ...work,
    submit: (count, atOnce) => submit(isPaused, count, atOnce),
    leavesNoBacklog: true,
    async pauseWorker() {
      isPaused = true;
    },
    async resumeWorker() {
      isPaused = false;
    },
  };
}

/** Starts a minimal Temporal worker and a client beside the Temporal server at `address`. */
export async function startBare({ directory, upstreamUrl }: Scene, address: string) {
  const env = { ...baseEnvironment(), TEMPORAL_ADDRESS: address, LOG_LEVEL: 'warn', API_BASE_URL: upstreamUrl };
  const logFile = join(directory, 'bare-temporal.log');
  const working = await startGuarded({
    ...{ command: process.execPath, args: nodeArguments(worker, workerMiB), cwd: directory, env, logFile },
  });
  const calling = await startChild({
    ...{ script: client, env: { TEMPORAL_ADDRESS: address, UPSTREAM_URL: upstreamUrl }, logFile },
  });
  return {
    versions: [
      `Temporal server ${await calling.request<string>('readServerVersion')}`,
      `Temporal SDK ${dependencies['@temporalio/worker']}`,
      `Node ${process.versions.node}`,
    ],
    /** Returns a contender whose tasks are workflows of one activity, or activities alone. */
    toContender: (name: string, kind: 'workflow' | 'activity', serverPids: () => number[], common: Common): Contender =>
      withIdleQueue(
        {
          name,
          submit: (isPaused, count, atOnce) =>
            calling.request<Submissions>('submit', kind, isPaused ? idleQueue : queue, count, atOnce),
          execute: (count) => calling.request<number[]>('execute', kind, queue, count),
          completed: () => calling.request<number>('completed', kind, queue),
          pids: () => [...serverPids(), working.pid, calling.pid],
        },
        common,
      ),
    async stop() {
      await calling.stop();
      await working.stop();
    },
  };
}
