import { execFileSync } from 'node:child_process';
import { readBootId, readStat } from '../../cli/proc.ts';

/** A pid alone can be reused by another process. Together with the start time it identifies one process for ever. */
export type ProcessIdentity = { pid: number; startedAt: string };

function readLinuxStartTime(pid: number): string | undefined {
  const stat = readStat(pid);
  if (!stat || stat.state === 'Z' || stat.state === 'X') return undefined;
  return `${readBootId()}/${stat.startTime}`;
}

function readStartTimeWithPs(pid: number): string | undefined {
  const output = execFileSync('ps', ['-o', 'stat=', '-o', 'lstart=', '-p', `${pid}`], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [, state, startTime] = /^(\S+)\s+(.+?)\s*$/.exec(output) ?? [];
  return state?.startsWith('Z') ? undefined : startTime;
}

/** Returns the identity of a living process; undefined for a process that is gone, and for a zombie. */
export function identify(pid: number): ProcessIdentity | undefined {
  try {
    const startedAt = process.platform === 'linux' ? readLinuxStartTime(pid) : readStartTimeWithPs(pid);
    return startedAt === undefined ? undefined : { pid, startedAt };
  } catch {
    return undefined;
  }
}

/** Whether exactly this process is alive. */
export const isAlive = ({ pid, startedAt }: ProcessIdentity) => identify(pid)?.startedAt === startedAt;
