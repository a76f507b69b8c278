import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, sep } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { SetupError } from '../../cli/setup-error.ts';
import { findOnPath, isExecutable } from '../obtain/cache.ts';
import { toOneLine } from '../obtain/first-working.ts';
import { findFreePort } from '../processes/free-port.ts';
import { startGuarded } from '../processes/guarded.ts';
import { findUnprivilegedUser } from './unprivileged-user.ts';

type Options = {
  /** Becomes the home of the database; one that is a home already is used again. */
  directory: string;
  signal: AbortSignal;
  port?: number;
  /** Server settings that are not PostgreSQL's defaults, as `-c name=value`. */
  settings?: Record<string, string>;
};

/** Debian keeps a directory for each version, and off PATH. */
const debianRoot = '/usr/lib/postgresql';
const upWithinMs = 60_000;

/** The directory with `postgres` and `initdb`, PATH first, then the newest of Debian's; undefined if there is none. */
export async function findPostgres(): Promise<string | undefined> {
  const versions = await readdir(debianRoot).catch(() => []);
  const debian = versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(debianRoot, version, 'bin'));
  const onPath = await findOnPath('postgres');
  for (const bin of [...(onPath ? [join(onPath, '..')] : []), ...debian])
    if ((await isExecutable(join(bin, 'postgres'))) && (await isExecutable(join(bin, 'initdb')))) return bin;
  return undefined;
}

type User = Awaited<ReturnType<typeof findUnprivilegedUser>>;

/** Makes a database cluster in `data`; its superuser's password stays in a file beside it. */
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

/** Temporary directories are closed to other users: lets them pass to this one, and read nothing beside it. */
async function letWalkTo(directory: string) {
  for (let above = dirname(directory); above.startsWith(tmpdir() + sep); above = dirname(above)) {
    const { mode } = await stat(above);
    if (!(mode & 0o001)) await chmod(above, mode | 0o001);
  }
}

/**
 * A PostgreSQL of our own on loopback, with its defaults (`fsync` and `synchronous_commit` on) and `settings` on top; run as root, it runs as the
 * user postgres. `stop` ends it and leaves its files; should this process die, it ends by itself.
 * @throws {SetupError} saying what to install, or where its log is.
 */
export async function startPostgres({ directory, signal, port, settings = {} }: Options) {
  const bin = await findPostgres();
  if (!bin) throw new SetupError('PostgreSQL: no `postgres` found. On Debian: apt-get install postgresql');
  const user = await findUnprivilegedUser();
  const data = join(directory, 'data');
  const passwordFile = join(directory, 'password');
  const logFile = join(directory, 'postgres.log');
  await mkdir(directory, { recursive: true });
  if (user) {
    await chown(directory, user.uid, user.gid);
    await letWalkTo(directory);
  }
  if (!existsSync(join(data, 'PG_VERSION'))) await createCluster(bin, data, passwordFile, user, signal);
  const password = await readFile(passwordFile, 'utf8');

  const actualPort = port ?? (await findFreePort());
  const own = { listen_addresses: '127.0.0.1', unix_socket_directories: '', port: String(actualPort), ...settings };
  const server = await startGuarded({
    command: join(bin, 'postgres'),
    args: ['-D', data, ...Object.entries(own).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    logFile,
    cwd: '/',
    user,
    // The "fast" shutdown: sessions that are open are ended.
    endSignal: 'INT',
  });

  try {
    await untilReady();
  } catch (error) {
    await server.stop();
    throw error;
  }

  /** The first line of this file is the pid, for an earlier run may have left one; the last says `ready` once connections are served. */
  async function untilReady() {
    const deadline = performance.now() + upWithinMs;
    for (;;) {
      const status = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '');
      if (status.startsWith(`${server.pid}\n`) && status.trim().endsWith('ready')) return;
      if (!server.isAlive() || performance.now() > deadline)
        throw new SetupError(`PostgreSQL did not start: see ${logFile}`);
      await sleep(50, undefined, { signal });
    }
  }

  const { stdout } = await execa(join(bin, 'postgres'), ['--version']);
  return {
    /** Of a database on it; `postgres` is there from the beginning. */
    toUrl: (database = 'postgres') => `postgres://postgres:${password}@127.0.0.1:${actualPort}/${database}`,
    port: actualPort,
    password,
    /** Of the postmaster: the others are its children. */
    pid: server.pid,
    /** `PostgreSQL 15.14` */
    version: `PostgreSQL ${/\d+(\.\d+)*/.exec(stdout)?.[0]}`,
    logFile,
    isAlive: server.isAlive,
    stop: server.stop,
  };
}

export type Postgres = Awaited<ReturnType<typeof startPostgres>>;
