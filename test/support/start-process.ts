import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../../src/config/config.ts';
import { eventually } from './holdfast.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

export type StartedProcess = {
  pid: number;
  output: () => string;
  /** Resolves with the output so far as soon as it contains `text`. */
  waitForOutput: (text: string) => Promise<string>;
  /** Sends the signal and resolves with the exit code, or null after a kill. */
  end: (signal?: NodeJS.Signals) => Promise<number | null>;
};

/** Starts `src/worker.ts` or `src/server.ts` as a separate process, as `npm start` does. It logs JSON lines. */
export function startProcess(name: 'worker' | 'server', environment: Environment, directory = root): StartedProcess {
  const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', `src/${name}.ts`], {
    cwd: directory,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk));
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  return {
    pid: child.pid ?? 0,
    output: () => output,
    waitForOutput: (text) =>
      eventually(
        () => output,
        (current) => current.includes(text),
      ),
    end: async (signal = 'SIGTERM') => {
      child.kill(signal);
      return await exited;
    },
  };
}
