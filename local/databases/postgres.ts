import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, sep } from 'node:path';
import { execa } from 'execa';
import type { Say } from '../../cli/progress.ts';
import { SetupError } from '../../cli/setup-error.ts';
import { until } from '../../cli/until.ts';
import { toOneLine } from '../obtain/first-working.ts';
import { obtainPostgres } from '../obtain/postgres.ts';
import { startGuarded } from '../processes/guarded.ts';
import { findFreePort } from '../processes/ports.ts';
import { findUnprivilegedUser } from './unprivileged-user.ts';

type Options = {
  /** The home of the database. One that exists is used again. */
  directory: string;
  say: Say;
  signal: AbortSignal;
};

const upWithinMs = 60_000;

type User = Awaited<ReturnType<typeof findUnprivilegedUser>>;

/** Creates a database cluster in `data` and a file beside it with the superuser's password. */
async function createCluster(bin: string, data: string, passwordFile: string, user: User, signal: AbortSignal) {
  await writeFile(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
  if (user) await chown(passwordFile, user.uid, user.gid);
  const args = ['--pgdata', data, '--username', 'postgres', '--auth', 'scram-sha-256', '--pwfile', passwordFile];
  const locale = ['--encoding', 'UTF8', '--no-locale'];
  const options = { all: true, stdin: 'ignore', cancelSignal: signal, cwd: '/', ...user } as const;
  await execa(join(bin, 'initdb'), [...args, ...locale], options).catch((error: Error) => {
    signal.throwIfAborted();
    throw new SetupError(`PostgreSQL: initdb failed in ${data}: ${toOneLine(error)}`);
  });
}

/** Lets other users reach `directory` below the temporary directory. They can list nothing on the way. */
async function openPathTo(directory: string) {
  for (let above = dirname(directory); above.startsWith(tmpdir() + sep); above = dirname(above)) {
    const { mode } = await stat(above);
    if (!(mode & 0o001)) await chmod(above, mode | 0o001);
  }
}

/** A cluster that another major version created does not start. */
async function requireSameMajor(data: string, version: string) {
  const major = (await readFile(join(data, 'PG_VERSION'), 'utf8')).trim();
  if (!version.startsWith(`${major}.`))
    throw new SetupError(
      `PostgreSQL ${major} created ${data}, and this is PostgreSQL ${version}. Put version ${major} first on PATH, or remove that directory.`,
    );
}

/**
 * Starts a PostgreSQL server on a free port of loopback, with PostgreSQL's defaults (`fsync` and `synchronous_commit`
 * are on). Run as root, it uses an unprivileged user. `stop` ends the server and keeps its files. The server also
 * ends when this process does.
 * @throws {SetupError} saying what to install, or where the log is.
 */
export async function startPostgres({ directory, say, signal }: Options) {
  const bin = await obtainPostgres({ say, signal });
  const { stdout } = await execa(join(bin, 'postgres'), ['--version']);
  const version = /\d+(\.\d+)*/.exec(stdout)?.[0] ?? stdout;
  const user = await findUnprivilegedUser();
  const data = join(directory, 'data');
  const passwordFile = join(directory, 'password');
  const logFile = join(directory, 'postgres.log');
  await mkdir(directory, { recursive: true });
  if (user) {
    await chown(directory, user.uid, user.gid);
    await openPathTo(directory);
  }
  if (existsSync(join(data, 'PG_VERSION'))) await requireSameMajor(data, version);
  else await createCluster(bin, data, passwordFile, user, signal);
  const password = await readFile(passwordFile, 'utf8');

  const port = await findFreePort();
  const settings = { listen_addresses: '127.0.0.1', unix_socket_directories: '', port: String(port) };
  const server = await startGuarded({
    command: join(bin, 'postgres'),
    args: ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    logFile,
    cwd: '/',
    user,
    // The "fast" shutdown: it does not wait until all sessions are closed.
    endSignal: 'INT',
  });

  // The first line of this file is the pid, because an earlier run may have left the file. The last line is `ready`
  // once the server accepts connections.
  const isReady = async () => {
    if (!server.isAlive()) throw new SetupError(`PostgreSQL did not start. Its log is ${logFile}`);
    const status = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '');
    return status.startsWith(`${server.pid}\n`) && status.trim().endsWith('ready');
  };
  const onTimeout = () => `PostgreSQL is not ready after ${upWithinMs / 1_000} s. Its log is ${logFile}`;
  try {
    await until(isReady, { withinMs: upWithinMs, signal, onTimeout });
  } catch (error) {
    await server.stop();
    throw error;
  }

  return {
    /** Returns the URL of a database on it; `postgres` always exists. */
    toUrl: (database = 'postgres') => `postgres://postgres:${password}@127.0.0.1:${port}/${database}`,
    port,
    password,
    /** The pid of the postmaster; the other processes are its children. */
    pid: server.pid,
    /** `PostgreSQL 15.14` */
    version: `PostgreSQL ${version}`,
    logFile,
    isAlive: server.isAlive,
    stop: server.stop,
  };
}

export type Postgres = Awaited<ReturnType<typeof startPostgres>>;
