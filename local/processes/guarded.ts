import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { SetupError } from '../../cli/setup-error.ts';
import { toBasicEnvironment } from './child-environment.ts';
import { killNow } from './end-processes.ts';
import { identify, isAlive, type ProcessIdentity } from './process-identity.ts';

type Options = {
  command: string;
  args: string[];
  /** The file to which the program's output is appended. */
  logFile: string;
  cwd?: string;
  /** The whole environment of the program. The default has none of our settings and secrets. */
  env?: NodeJS.ProcessEnv;
  /** The user that the program runs as, if not ours. Only root can choose another user. */
  user?: { uid: number; gid: number } | undefined;
  /** The signal that asks the program to shut down. */
  endSignal?: 'TERM' | 'INT';
  endWithinMs?: number;
};

/**
 * The script of a shell that runs the program as its child. `stop`, or the death of this process, closes the shell's
 * stdin. The shell then sends the end signal to the program, and SIGCONT, because a program stopped with SIGSTOP would
 * not react to the end signal. Then the shell waits until the program has ended.
 */
const guard =
  'end=$1 log=$2; shift 2; "$@" </dev/null >>"$log" 2>&1 & echo $!; read -r _; kill -s "$end" $! 2>/dev/null; kill -s CONT $! 2>/dev/null; wait';

// The programs that run now. One `exit` listener kills all of them.
const living = new Set<ProcessIdentity>();
const killLiving = () => killNow([...living]);

/**
 * Starts a program that must not outlive this process. Even if this process is killed with -9, the program gets its
 * end signal and can shut down cleanly.
 * @throws {SetupError} if the program cannot be started. The message names the log file.
 */
export async function startGuarded({
  command,
  args,
  logFile,
  cwd,
  env = toBasicEnvironment(process.env),
  user,
  endSignal = 'TERM',
  endWithinMs = 10_000,
}: Options) {
  const shell = spawn('sh', ['-c', guard, 'sh', endSignal, logFile, command, ...args], {
    // Gives the shell its own process group, so that Ctrl-C in a terminal reaches only us.
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
    ...(cwd && { cwd }),
    env,
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
    /** Asks the program to shut down, and kills it if it still runs after `endWithinMs`. Resolves when it is gone. */
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
