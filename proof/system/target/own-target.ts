import { readdirSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createTemporaryDirectory } from '../../../cli/temporary-directory.ts';
import type { Stack, StackOptions } from '../../../local/stack/start-stack.ts';
import { withStack } from '../../../local/stack/with-stack.ts';
import { CheckFailure } from '../../checks/check.ts';
import { createRecorder } from '../recorder.ts';
import type { ProbedStack, Target } from './target.ts';

const probe = new URL('./memory-probe.mjs', import.meta.url).href;

/** Returns options for a second stack. That stack prints nothing: it would only repeat the lines of the first one. */
export const silent = (options: StackOptions): StackOptions => ({ ...options, say: () => {} });

/** Reads the memory of a thread at its Unix socket (see memory-probe.mjs). */
const ask = (socketPath: string) =>
  new Promise<{ rssBytes: number; heapUsedBytes: number }>((resolve, reject) => {
    request({ socketPath }, (response) => text(response).then((body) => resolve(JSON.parse(body)), reject))
      .once('error', reject)
      .end();
  });

/** Runs `work` against a fresh stack whose processes report their memory after a garbage collection. */
export async function withProbedStack<T>(
  options: StackOptions,
  environment: Record<string, string>,
  work: (stack: Stack & ProbedStack) => Promise<T>,
): Promise<T> {
  const { path: directory, remove } = createTemporaryDirectory('holdfast-probe-');
  const probed = { NODE_OPTIONS: `--import=${probe}`, MEMORY_PROBE_DIRECTORY: directory, ...environment };
  try {
    return await withStack(options, probed, (stack) => {
      const readMemory: ProbedStack['readMemory'] = async (name) => {
        const pid = stack.children().find((child) => child.name === name)?.pid;
        const sockets = readdirSync(directory).filter((socket) => socket.startsWith(`${pid}-`));
        const threads = await Promise.all(sockets.map((socket) => ask(join(directory, socket))));
        if (pid === undefined || threads.length === 0) throw new CheckFailure(`There is no running ${name} to measure`);
        return {
          pid,
          rssBytes: Math.max(...threads.map(({ rssBytes }) => rssBytes)),
          heapUsedBytes: threads.reduce((sum, { heapUsedBytes }) => sum + heapUsedBytes, 0),
        };
      };
      return work({ ...stack, readMemory });
    });
  } finally {
    remove();
  }
}

type Options = { tasks: number; environment: Record<string, string> };

/** Runs `work` against a fresh stack on which every check can run. */
export async function withOwnTarget<T>(
  options: StackOptions,
  { environment, tasks }: Options,
  work: (target: Target) => Promise<T>,
): Promise<T> {
  return await withProbedStack(options, environment, async (stack) => {
    const { policy, workerConcurrency, workers } = stack.config();
    return await work({
      tasks,
      record: createRecorder(),
      holdfast: stack.holdfast,
      jokeApi: stack.jokeApi,
      policy,
      slots: workerConcurrency * workers,
      temporalPort: stack.temporalPort,
      findApiPid: () => stack.children().find(({ name }) => name === 'API')?.pid,
      withProbedStack: (check) => check(stack),
      withOwnStack: (own, check) => withStack(silent(options), own, check),
    });
  });
}
