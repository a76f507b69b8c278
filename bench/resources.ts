import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** What processes have used and hold: CPU seconds since they began; memory in MiB, shared pages divided among those who share them. */
export type Resources = { cpuSeconds: number; memoryMiB: number };

/** Linux counts in hundredths of a second. */
const ticksASecond = 100;

function readLinux(pid: number): Resources {
  const afterName = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  const [user = 0, system = 0] = afterName.slice(11, 13).map(Number);
  const [, pss = '0'] = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? [];
  return { cpuSeconds: (user + system) / ticksASecond, memoryMiB: Number(pss) / 1_024 };
}

/** `[[dd-]hh:]mm:ss.cc` */
const toSeconds = (time: string) => time.split(/[:-]/).reduce((sum, part) => sum * 60 + Number(part), 0);

function readElsewhere(pid: number): Resources {
  const [, rss = '0', time = '0'] =
    /^\s*(\d+)\s+(\S+)/.exec(execFileSync('ps', ['-o', 'rss=,time=', '-p', String(pid)], { encoding: 'utf8' })) ?? [];
  return { cpuSeconds: toSeconds(time), memoryMiB: Number(rss) / 1_024 };
}

/** The sum over the processes that live; one that ended takes its seconds with it. */
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
