import { execFileSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { listPids, readOpenFiles } from '../../cli/proc.ts';
import { SetupError } from '../../cli/setup-error.ts';

/** Returns the pids that hold the file open, as far as this user and this container can see. */
function findUsers(path: string): number[] {
  if (process.platform === 'linux') return listPids().filter((pid) => readOpenFiles(pid).includes(path));
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
 * Refuses a database that another process has open, such as a server that somebody started by hand; our own servers
 * are kept apart by the lock. Two servers on one SQLite file both run, and corrupt each other's state silently.
 * @throws {SetupError} naming the process that has the database open.
 */
export function refuseDatabaseInUse(path: string) {
  const [pid] = existsSync(path) ? findUsers(realpathSync(path)) : [];
  if (pid)
    throw new SetupError(`${path} is open in process ${pid}: end it first, or set DATA_DIR to another directory.`);
}
