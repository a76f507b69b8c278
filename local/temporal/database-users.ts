import { execFileSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { listPids, readOpenFiles } from '../../cli/proc.ts';
import { SetupError } from '../../cli/setup-error.ts';

/** Returns the pids of processes that have the file open. Finds only those that this user and container can see. */
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
 * Throws if another process has the database open, for example a server that somebody started by hand. Two servers on
 * one SQLite file would both run and silently corrupt each other's state. Only our own servers respect the lock file.
 * @throws {SetupError} naming the process that has the database open.
 */
export function refuseDatabaseInUse(path: string) {
  const [pid] = existsSync(path) ? findUsers(realpathSync(path)) : [];
  if (pid)
    throw new SetupError(`${path} is open in process ${pid}: end it first, or set DATA_DIR to another directory.`);
}
