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
  /** Where the database is kept. If the directory already has a database, that database is used. */
  directory: string;
  say: Say;
  signal: AbortSignal;
};

const upWithinMs = 60_000;

type User = Awaited<ReturnType<typeof findUnprivilegedUser>>;

/**
 * Creates a database cluster in `data`, and a `passwordFile` with a random password for the superuser.
 * @throws {SetupError} if `initdb` fails. The message has the end of its error.
 */
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

/**
 * Lets other users enter, but not list, every directory between the temporary directory and `directory`.
 * Does nothing if `directory` is not below the temporary directory.
 */
async function openPathTo(directory: string) {
  for (let above = dirname(directory); above.startsWith(tmpdir() + sep); above = dirname(above)) {
    const { mode } = await stat(above);
    if (!(mode & 0o001)) await chmod(above, mode | 0o001);
  }
}

/** @throws {SetupError} if another major version created the cluster, because this version cannot start on it. */
async function requireSameMajor(data: string, version: string) {
  const major = (await readFile(join(data, 'PG_VERSION'), 'utf8')).trim();
  if (!version.startsWith(`${major}.`))
    throw new SetupError(
      `PostgreSQL ${major} created ${data}, and this is PostgreSQL ${version}. Put version ${major} first on PATH, or remove that directory.`,
    );
}

/**
 * Starts a PostgreSQL server on a free loopback port, with PostgreSQL's defaults (`fsync` and `synchronous_commit` are
 * on). If this process runs as root, the server runs as an unprivileged user. `stop` ends the server and keeps its
 * files. The server also ends when this process does.
 * @throws {SetupError} if no working PostgreSQL is found (the message says what to install), if the database cannot be
 *   created, if another major version created it, or if the server is not ready in time (the message names the log).
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
    // SIGINT is PostgreSQL's "fast" shutdown, which disconnects clients instead of waiting for them.
    endSignal: 'INT',
  });

  // The last line of `postmaster.pid` is `ready` once the server accepts connections. An earlier run may have left the
  // file behind, so the pid in its first line must be the server's.
  const isReady = async () => {
    if (!server.isAlive()) throw new SetupError(`PostgreSQL did not start. Its log is ${logFile}`);
    const status = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '');
    return status.startsWith(`${server.pid}\n`) && status.trim().endsWith('ready');
  };
  const onTimeout = () => `PostgreSQL is not ready after ${upWithinMs / 1_000} s. Its log is ${logFile}`;
  await until(isReady, { withinMs: upWithinMs, signal, onTimeout }).catch(async (error: unknown) => {
    await server.stop();
    throw error;
  });

  return {
    /** Returns the URL of a database on this server. The database `postgres` always exists. */
    toUrl: (database = 'postgres') => `postgres://postgres:${password}@127.0.0.1:${port}/${database}`,
    port,
    password,
    /** The pid of the main process (postmaster). The server's other processes are its children. */
    pid: server.pid,
    /** For example `PostgreSQL 15.14`. */
    version: `PostgreSQL ${version}`,
    logFile,
    isAlive: server.isAlive,
    stop: server.stop,
  };
}

export type Postgres = Awaited<ReturnType<typeof startPostgres>>;
