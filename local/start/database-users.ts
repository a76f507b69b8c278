import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { SetupError } from '../../cli/setup-error.ts';

function readOpenFiles(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`);
      } catch {
        return '';
      }
    });
  } catch {
    return [];
  }
}

/** The pids that hold the file open, as far as this user and this container can see. */
function findUsers(path: string): number[] {
  if (process.platform === 'linux')
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && readOpenFiles(name).includes(path))
      .map(Number);
  try {
    return execFileSync('lsof', ['-t', '--', path], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .split('\n')
      .filter(Boolean)
      .map(Number);
  } catch {
    return [];
  }
}

/**
 * The lock keeps our own servers apart; this sees one that somebody started by hand. Two servers on one SQLite file both
 * run, and corrupt each other's state without a word.
 * @throws {SetupError} naming the process that has the database open.
 */
export function refuseDatabaseInUse(path: string) {
  const [pid] = existsSync(path) ? findUsers(realpathSync(path)) : [];
  if (pid)
    throw new SetupError(`${path} is open in process ${pid}: end it first, or set DATA_DIR to another directory.`);
}
