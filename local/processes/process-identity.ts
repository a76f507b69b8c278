import { execFileSync } from 'node:child_process';
import { readBootId, readStat } from '../../cli/proc.ts';

/** Identifies one process for ever. The pid alone does not, because the system reuses pids. */
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

/** Returns the identity of a living process, or undefined if the process is gone or a zombie. */
export function identify(pid: number): ProcessIdentity | undefined {
  try {
    const startedAt = process.platform === 'linux' ? readLinuxStartTime(pid) : readStartTimeWithPs(pid);
    return startedAt === undefined ? undefined : { pid, startedAt };
  } catch {
    return undefined;
  }
}

/** Returns whether this process is alive. Another process with the same pid does not count. */
export const isAlive = ({ pid, startedAt }: ProcessIdentity) => identify(pid)?.startedAt === startedAt;
