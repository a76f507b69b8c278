import { type ChildProcess, spawn } from 'node:child_process';

export type ChildSpec = {
  name: string;
  command: string;
  args: string[];
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** How long the child may take to end after SIGTERM. Then it gets SIGKILL. */
  stopWithinMs: number;
  /**
   * True for a program that is not Node. If we die, a Node child sees its IPC channel close and ends. A foreign child
   * keeps running, and the next start can end it only if it is in the lock file. So it must not run before it is
   * recorded there. Its stdout is discarded.
   */
  foreign?: boolean;
};

/** A shell that waits for a line and then becomes the command, with the same pid. It ends if we die before that. */
const waitingShell = ['-c', 'read -r go && exec "$0" "$@"'];

/**
 * Spawns a child in its own process group. Ctrl-C in a terminal therefore reaches only us, and we stop the children in
 * order. A foreign child does not run its command until `letGo` is called.
 */
export function spawnChild({ command, args, env, cwd, foreign }: ChildSpec): ChildProcess {
  const options = { env: { ...process.env, ...env }, detached: true, ...(cwd && { cwd }) };
  return foreign
    ? spawn('sh', [...waitingShell, command, ...args], { ...options, stdio: ['pipe', 'ignore', 'inherit'] })
    : spawn(command, args, { ...options, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

/** Lets a foreign child run its command. Call this after the child is recorded. */
export const letGo = (child: ChildProcess) => void child.stdin?.on('error', () => {}).end('go\n');
