import { readFileSync } from 'node:fs';
import { isatty } from 'node:tty';

const endSignals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** How often to check whether npm, the parent of this process, still runs. */
const checkParentMs = 500;

/** The parent at the start of this process. It may end before `onParentGone` is called. */
const firstParent = process.ppid;

/**
 * Calls `stop` once, with the reason, when this process must end: on SIGTERM, SIGINT or SIGHUP, or when its parent is
 * gone.
 */
export function onStop(stop: (reason: string) => void): void {
  let stopped = false;
  const once = (reason: string) => {
    if (stopped) return;
    stopped = true;
    stop(reason);
  };
  onEndSignal(once);
  onParentGone((who) => once(`${who} is gone`));
}

/** Calls `end` for each SIGTERM, SIGINT and SIGHUP. If SIGHUP was ignored at the start, it stays ignored. */
export function onEndSignal(end: (signal: (typeof endSignals)[number]) => void): void {
  const ignoresHangup = wasHangupIgnored();
  const hasTerminal = [0, 1, 2].some(isatty);
  for (const signal of endSignals)
    process.on(signal, () => {
      if (signal === 'SIGHUP' && ignoresHangup) return;
      if (signal === 'SIGHUP' && hasTerminal) process.once('exit', dieOfHangup);
      end(signal);
    });
}

/** Ends this process by SIGHUP. At a normal exit, Node would abort with a core dump if its terminal is gone. */
function dieOfHangup(): void {
  process.removeAllListeners('SIGHUP');
  process.kill(process.pid, 'SIGHUP');
}

/**
 * Calls `gone` when our parent ends without sending us a signal, for example after kill -9. The parent is a script of
 * ours with an IPC channel, or npm. Without such a parent, nothing happens. The argument of `gone` names the parent.
 */
export function onParentGone(gone: (who: string) => void): void {
  if (process.send) {
    if (process.connected) process.once('disconnect', () => gone('the parent'));
    else gone('the parent');
    return;
  }
  if (!process.env.npm_lifecycle_event) return;
  const timer = setInterval(() => {
    if (process.ppid === firstParent) return;
    clearInterval(timer);
    gone('npm');
  }, checkParentMs);
  timer.unref();
}

/**
 * Returns whether SIGHUP was ignored when this process started. Node has already reset the signal to its default, so
 * this looks for signs of `nohup`. bash and zsh put the path of the command into `_`. If the parent is a shell under
 * nohup, the parent ignores SIGHUP.
 */
function wasHangupIgnored(): boolean {
  if (process.env._?.endsWith('/nohup')) return true;
  try {
    // SIGHUP is the lowest bit of the mask.
    return /^SigIgn:\s*[\da-f]*[13579bdf]$/m.test(readFileSync(`/proc/${process.ppid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
