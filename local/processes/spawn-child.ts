import { type ChildProcess, spawn } from 'node:child_process';

export type ChildSpec = {
  name: string;
  command: string;
  args: string[];
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** How long it may take to end after SIGTERM; then SIGKILL. */
  stopWithinMs: number;
  /** A foreign binary sees no IPC channel break, so it must not start before it is recorded; its stdout is dropped. */
  foreign?: boolean;
};

/** Waits for a line before it becomes the command, under the same pid; without the line (we died) it ends. */
const gate = ['-c', 'read -r go && exec "$0" "$@"'];

/**
 * Spawns a child in a process group of its own: Ctrl-C in a terminal reaches only us, and we stop the children in order.
 * A foreign one then waits for `letGo`.
 */
export function spawnChild({ command, args, env, cwd, foreign }: ChildSpec): ChildProcess {
  const options = { env: { ...process.env, ...env }, detached: true, ...(cwd && { cwd }) };
  return foreign
    ? spawn('sh', [...gate, command, ...args], { ...options, stdio: ['pipe', 'ignore', 'inherit'] })
    : spawn(command, args, { ...options, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

/** Tells a foreign child, once it is recorded, to become its command. */
export const letGo = (child: ChildProcess) => void child.stdin?.on('error', () => {}).end('go\n');
