import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { SetupError } from '../../cli/setup-error.ts';
import { until } from '../../cli/until.ts';
import { findOnPath } from '../obtain/cache.ts';
import { startGuarded } from '../processes/guarded.ts';
import { findFreePort, isListening } from '../processes/ports.ts';

type Options = {
  /** Where Redis keeps its files. */
  directory: string;
  signal: AbortSignal;
};

const upWithinMs = 30_000;

/** Redis keeps an append-only file, syncs it to disk every second and never evicts keys. */
const durable = { appendonly: 'yes', appendfsync: 'everysec', 'maxmemory-policy': 'noeviction' };

/**
 * Starts a Redis server on a free loopback port, with durable settings. `stop` ends it and keeps its files. The
 * server also ends when this process does.
 * @throws {SetupError} when Redis is not installed (the message says what to install), does not start (the message
 *   quotes the end of the log) or does not listen in time (the message names the log file).
 */
export async function startRedis({ directory, signal }: Options) {
  const command = await findOnPath('redis-server');
  if (!command) throw new SetupError('Redis: no `redis-server` found. On Debian: apt-get install redis-server');
  await mkdir(directory, { recursive: true });
  const port = await findFreePort();
  const logFile = join(directory, 'redis.log');
  const own = { bind: '127.0.0.1', port: String(port), dir: directory, ...durable };
  const args = Object.entries(own).flatMap(([name, value]) => [`--${name}`, value]);
  const server = await startGuarded({ command, args, logFile });

  const listens = async () => {
    if (!server.isAlive())
      throw new SetupError(`Redis did not start: ${(await readFile(logFile, 'utf8')).trim().slice(-200)}`);
    return await isListening(port);
  };
  const onTimeout = () => `Redis is still not listening after ${upWithinMs / 1_000} s. Its log is ${logFile}`;
  await until(listens, { withinMs: upWithinMs, signal, onTimeout }).catch(async (error: unknown) => {
    await server.stop();
    throw error;
  });
  const { stdout } = await execa(command, ['--version']);
  return {
    url: `redis://127.0.0.1:${port}`,
    pid: server.pid,
    /** For example `Redis 7.0.15`. */
    version: `Redis ${/v=(\S+)/.exec(stdout)?.[1]}`,
    storage: 'Redis, appendonly, fsync every second: a power cut loses up to one second of writes',
    logFile,
    stop: server.stop,
  };
}

export type Redis = Awaited<ReturnType<typeof startRedis>>;
