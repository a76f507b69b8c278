import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A pid alone names another process once it is reused; together with the start time it names one process for ever. */
export type ProcessIdentity = { pid: number; startedAt: string };

/** The fields of `/proc/<pid>/stat` from the third on, the state: the name before it may hold spaces and brackets. */
const readStat = (pid: number): string[] =>
  readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];

/** The letter for the state that Linux has the process in (proc(5)): T is stopped. Undefined for none. */
export function readState(pid: number): string | undefined {
  try {
    return readStat(pid)[0];
  } catch {
    return undefined;
  }
}

function readLinuxStartTime(pid: number): string | undefined {
  const fields = readStat(pid);
  const [state, startTime] = [fields[0], fields[22 - 3]];
  if (!startTime || state === 'Z' || state === 'X') return undefined;
  return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${startTime}`;
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

/** The identity of a process that lives now; undefined if there is none, or only the zombie of one. */
export function identify(pid: number): ProcessIdentity | undefined {
  try {
    const startedAt = process.platform === 'linux' ? readLinuxStartTime(pid) : readStartTimeWithPs(pid);
    return startedAt === undefined ? undefined : { pid, startedAt };
  } catch {
    return undefined;
  }
}

export const isAlive = ({ pid, startedAt }: ProcessIdentity) => identify(pid)?.startedAt === startedAt;
