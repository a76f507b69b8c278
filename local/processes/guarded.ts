import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { SetupError } from '../../cli/setup-error.ts';
import { killNow } from './end-processes.ts';
import { identify, isAlive, type ProcessIdentity } from './process-identity.ts';

type Options = {
  command: string;
  args: string[];
  /** What it prints goes here. */
  logFile: string;
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Another user to run as; root only. */
  user?: { uid: number; gid: number } | undefined;
  /** The signal that it takes for an orderly end. */
  endSignal?: 'TERM' | 'INT';
  endWithinMs?: number;
};

/**
 * A shell that stays its parent: when our end of the pipe closes, by `stop` or by our death, it ends it and waits. A stopped process
 * (SIGSTOP) takes no signal before it goes on.
 */
const guard =
  'end=$1 log=$2; shift 2; "$@" </dev/null >>"$log" 2>&1 & echo $!; read -r _; kill -s "$end" $! 2>/dev/null; kill -s CONT $! 2>/dev/null; wait';

/** For the end of this process: one listener for all of them. */
const living = new Set<ProcessIdentity>();
const killLiving = () => killNow([...living]);

/**
 * Starts a foreign program that must not outlive us, however we end: it is ended in order when this process is gone, even by kill -9.
 * @throws {SetupError} when it cannot be started.
 */
export async function startGuarded({
  command,
  args,
  logFile,
  cwd,
  env,
  user,
  endSignal = 'TERM',
  endWithinMs = 10_000,
}: Options) {
  const shell = spawn('sh', ['-c', guard, 'sh', endSignal, logFile, command, ...args], {
    // A group of its own: Ctrl-C in a terminal reaches only us.
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
    ...(cwd && { cwd }),
    ...(env && { env }),
    ...user,
  });
  const ended = once(shell, 'exit');
  const [line] = await Promise.race([once(shell.stdout.setEncoding('utf8'), 'data'), ended]);
  const identity = identify(Number(line));
  if (!identity) throw new SetupError(`${command} did not start: see ${logFile}`);
  if (living.size === 0) process.prependListener('exit', killLiving);
  living.add(identity);

  return {
    pid: identity.pid,
    isAlive: () => isAlive(identity),
    /** Ends it in order, by force when it takes too long; resolves when it is gone. */
    async stop() {
      const force = setTimeout(() => killNow([identity]), endWithinMs);
      shell.stdin.on('error', () => {}).end();
      if (shell.exitCode === null && shell.signalCode === null) await ended;
      clearTimeout(force);
      living.delete(identity);
      if (living.size === 0) process.off('exit', killLiving);
    },
  };
}

export type Guarded = Awaited<ReturnType<typeof startGuarded>>;
