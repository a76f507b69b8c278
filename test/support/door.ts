import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../../src/config/config.ts';
import { eventually } from './holdfast.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

export type Door = {
  pid: number;
  output: () => string;
  /** Resolves as soon as the door's output has `text`. */
  says: (text: string) => Promise<string>;
  /** Sends the signal and resolves with the exit code, null after a kill. */
  end: (signal?: NodeJS.Signals) => Promise<number | null>;
};

/** Starts `src/worker.ts` or `src/server.ts` as a process of its own, as `npm start` does; its log is JSON lines. */
export function startDoor(door: 'worker' | 'server', environment: Environment, directory = root): Door {
  const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', `src/${door}.ts`], {
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
    says: (text) =>
      eventually(
        () => output,
        (said) => said.includes(text),
      ),
    end: async (signal = 'SIGTERM') => {
      child.kill(signal);
      return await exited;
    },
  };
}
