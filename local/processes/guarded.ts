import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { SetupError } from '../../cli/setup-error.ts';
import { killNow } from './end-processes.ts';
import { identify, isAlive, type ProcessIdentity } from './process-identity.ts';

type Options = {
  command: string;
  args: string[];
  /** Receives what it prints. */
  logFile: string;
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Another user to run as; only root can do that. */
  user?: { uid: number; gid: number } | undefined;
  /** The signal for an orderly end. */
  endSignal?: 'TERM' | 'INT';
  endWithinMs?: number;
};

/**
 * A shell that stays the program's parent. When our end of the pipe closes, by `stop` or by our death, the shell ends
 * the program and waits. It also sends SIGCONT: a stopped process (SIGSTOP) would not react to the signal.
 */
const guard =
  'end=$1 log=$2; shift 2; "$@" </dev/null >>"$log" 2>&1 & echo $!; read -r _; kill -s "$end" $! 2>/dev/null; kill -s CONT $! 2>/dev/null; wait';

// One `exit` listener of this process kills all of them.
const living = new Set<ProcessIdentity>();
const killLiving = () => killNow([...living]);

/**
 * Starts a foreign program that must not outlive this process. It is ended in order even if this process is killed
 * with -9.
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
    // A process group of its own: Ctrl-C in a terminal reaches only us.
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
    ...(cwd && { cwd }),
    ...(env && { env }),
    ...user,
  });
  const ended = once(shell, 'exit');
  const [line] = await Promise.race([once(shell.stdout.setEncoding('utf8'), 'data'), ended]);
  const identity = identify(Number(line));
  if (!identity) throw new SetupError(`${command} did not start. Its log is ${logFile}`);
  if (living.size === 0) process.prependListener('exit', killLiving);
  living.add(identity);

  return {
    pid: identity.pid,
    isAlive: () => isAlive(identity),
    /** Ends it in order, and with SIGKILL after `endWithinMs`. Resolves when it is gone. */
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
