import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export type ChildSpec = {
  name: string;
  command: string;
  args: string[];
  /** The whole environment of the child. The default is ours. */
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** How long the child may take to end after SIGTERM. After this time it gets SIGKILL. */
  stopWithinMs: number;
  /**
   * True for a program that is not Node. If we die, a Node child sees its IPC channel close and ends. A foreign child
   * keeps running, and the next `npm start` can end it only if the lock file names it. So a foreign child must not run
   * before it is recorded there. Its stdout is discarded.
   */
  foreign?: boolean;
  /** Called before each start of the child. */
  beforeRun?: () => void;
  /** Called with each line that a foreign child writes to stderr. What it returns is repeated on our own stderr. */
  onErrorLine?: (line: string) => string;
};

const maximumUnwrittenBytes = 1024 * 1024;

/** Makes a shell wait for a line and then become the command, with the same pid. Without a line (we died), it ends. */
const waitingShell = ['-c', 'read -r go && exec "$0" "$@"'];

/**
 * Spawns a child in its own process group. Ctrl-C in a terminal therefore reaches only us, and we stop the children in
 * order. A foreign child does not run its command until `letGo` is called.
 */
export function spawnChild({
  command,
  args,
  env,
  cwd,
  foreign,
  onErrorLine = (line) => line,
}: ChildSpec): ChildProcess {
  const options = { env: env ?? process.env, detached: true, ...(cwd && { cwd }) };
  const child = foreign
    ? spawn('sh', [...waitingShell, command, ...args], { ...options, stdio: ['pipe', 'ignore', 'pipe'] })
    : spawn(command, args, { ...options, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  if (child.stderr)
    createInterface({ input: child.stderr }).on('line', (line) => {
      const text = onErrorLine(line);
      // If the reader of our stderr stalls, drop text instead of keeping it all in memory.
      if (text && process.stderr.writableLength < maximumUnwrittenBytes) process.stderr.write(`${text}\n`);
    });
  return child;
}

/** Lets a foreign child run its command. Call this after the child is recorded. Its stdin stays open until we end. */
export const letGo = (child: ChildProcess) => void child.stdin?.on('error', () => {}).write('go\n');
