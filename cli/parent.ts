import { readStat } from './proc.ts';

/**
 * Returns the pid of our parent. If our parent is a shell, adds the pid of the shell's parent, npm. npm starts us from
 * a shell: Debian's sh keeps running between npm and us, but other shells turn into us by exec, so npm is our parent.
 */
function readAncestors(): string {
  const parent = readStat(process.ppid);
  return parent && /^(da|ba)?sh$/.test(parent.name) ? `${process.ppid} ${parent.ppid}` : `${process.ppid}`;
}

/**
 * Calls `gone` when our parent ends without sending us a signal, for example after kill -9. The parent is a script of
 * ours with an IPC channel, or npm. Without such a parent, nothing happens. The argument of `gone` names the parent.
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
