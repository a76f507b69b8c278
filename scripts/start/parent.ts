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

/** Calls `gone` when the npm that runs this script ends without a word, as by kill -9. Does nothing without npm. */
export function onNpmGone(gone: () => void) {
  if (!process.env.npm_lifecycle_event) return;
  const ancestors = readAncestors();
  const timer = setInterval(() => {
    if (readAncestors() === ancestors) return;
    clearInterval(timer);
    gone();
  }, 500);
  timer.unref();
}
