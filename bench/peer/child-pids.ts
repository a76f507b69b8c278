import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The living children of a process, such as the sessions of a PostgreSQL server. */
export function toChildPids(pid: number): number[] {
  try {
    const words =
      process.platform === 'linux'
        ? readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
        : execFileSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' });
    return words.split(/\s+/).filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
