import { readFileSync } from 'node:fs';

/** Name and parent of a process; Linux only, undefined elsewhere. */
function readParent(pid: number): { name: string; ppid: number } | undefined {
  try {
    const [, name, ppid] = /^\d+ \((.*)\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    return name && ppid ? { name, ppid: Number(ppid) } : undefined;
  } catch {
    return undefined;
  }
}

/** Our parent; where a shell of npm's stands between (Debian's does not `exec` the last command), npm behind it too. */
function readAncestors(): string {
  const parent = readParent(process.ppid);
  return parent && /^(da|ba)?sh$/.test(parent.name) ? `${process.ppid} ${parent.ppid}` : `${process.ppid}`;
}

/**
 * Calls `gone`, with who it was, when what runs this script ends without a word, as by kill -9: npm, or a script of ours,
 * which holds an IPC channel. Does nothing without either.
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
