import { readStat } from './proc.ts';

/** Returns our parent; if that is a shell of npm's (Debian's sh does not `exec` the last command), npm behind it too. */
function readAncestors(): string {
  const parent = readStat(process.ppid);
  return parent && /^(da|ba)?sh$/.test(parent.name) ? `${process.ppid} ${parent.ppid}` : `${process.ppid}`;
}

/**
 * Calls `gone` when the process that runs this script ends without a signal to us, as by kill -9: npm, or a script of ours that
 * holds an IPC channel. The argument names that process. Does nothing without either.
 */
export function onParentGone(gone: (who: string) => void) {
  if (process.send) {
    if (process.connected) process.once('disconnect', () => gone('the parent'));
    else gone('the parent');
    return;
  }
  if (!process.env.npm_lifecycle_event) return;
  const ancestors = readAncestors();
  const timer = setInterval(() => {
    if (readAncestors() === ancestors) return;
    clearInterval(timer);
    gone('npm');
  }, 500);
  timer.unref();
}
