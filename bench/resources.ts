import { execFileSync } from 'node:child_process';
import { readChildPids, readMemoryMiB, readStat } from '../cli/proc.ts';

/**
 * CPU seconds since the start of the processes, and their memory in MiB. On Linux the memory is the proportional set
 * size, elsewhere the resident set size.
 */
export type Resources = { cpuSeconds: number; memoryMiB: number };

const readLinux = (pid: number): Resources => ({
  cpuSeconds: readStat(pid)?.cpuSeconds ?? 0,
  memoryMiB: readMemoryMiB(pid),
});

/** Converts the CPU time that `ps` prints, `[[dd-]hh:]mm:ss.cc`, to seconds. */
function toSeconds(time: string): number {
  const [clock = '', days = '0'] = time.split('-').reverse();
  return clock.split(':').reduce((sum, part) => sum * 60 + Number(part), 0) + Number(days) * 86_400;
}

function readElsewhere(pid: number): Resources {
  const [, rss = '0', time = '0'] =
    /^\s*(\d+)\s+(\S+)/.exec(execFileSync('ps', ['-o', 'rss=,time=', '-p', String(pid)], { encoding: 'utf8' })) ?? [];
  return { cpuSeconds: toSeconds(time), memoryMiB: Number(rss) / 1_024 };
}

/** Returns the sum over the living processes. The CPU seconds of ended processes are not counted. */
export function readResources(pids: number[]): Resources {
  const read = process.platform === 'linux' ? readLinux : readElsewhere;
  return pids.reduce(
    (sum, pid) => {
      try {
        const { cpuSeconds, memoryMiB } = read(pid);
        return { cpuSeconds: sum.cpuSeconds + cpuSeconds, memoryMiB: sum.memoryMiB + memoryMiB };
      } catch {
        return sum;
      }
    },
    { cpuSeconds: 0, memoryMiB: 0 },
  );
}

/** Returns the pids of a process's living children, such as the sessions of a PostgreSQL server. */
export function toChildPids(pid: number): number[] {
  if (process.platform === 'linux') return readChildPids(pid);
  try {
    return execFileSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })
      .split('\n')
      .filter(Boolean)
      .map(Number);
  } catch {
    return [];
  }
}
