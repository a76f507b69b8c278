import { type ChildProcess, spawn } from 'node:child_process';

export type ChildSpec = {
  name: string;
  command: string;
  args: string[];
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** How long it may take to end after SIGTERM; then it gets SIGKILL. */
  stopWithinMs: number;
  /**
   * A foreign binary has no IPC channel to end it, so it must not run before it is recorded. Its stdout is discarded.
   */
  foreign?: boolean;
};

/**
 * A shell that waits for a line and then becomes the command, under the same pid. If we die before the line, it ends.
 */
const waitingShell = ['-c', 'read -r go && exec "$0" "$@"'];

/**
 * Spawns a child in a process group of its own: Ctrl-C in a terminal reaches only us, and we stop the children in
 * order. A foreign child does not run its command before `letGo`.
 */
export function spawnChild({ command, args, env, cwd, foreign }: ChildSpec): ChildProcess {
  const options = { env: { ...process.env, ...env }, detached: true, ...(cwd && { cwd }) };
  return foreign
    ? spawn('sh', [...waitingShell, command, ...args], { ...options, stdio: ['pipe', 'ignore', 'inherit'] })
    : spawn(command, args, { ...options, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

/** Lets a foreign child run its command. Call it once the child is recorded. */
export const letGo = (child: ChildProcess) => void child.stdin?.on('error', () => {}).end('go\n');
