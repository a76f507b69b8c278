import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { SetupError } from '../../cli/setup-error.ts';
import { findOnPath } from '../obtain/cache.ts';
import { findFreePort } from '../processes/free-port.ts';
import { startGuarded } from '../processes/guarded.ts';
import { isListening } from '../processes/is-listening.ts';

type Options = {
  /** Becomes the home of its files. */
  directory: string;
  signal: AbortSignal;
  /** Server settings on top, as `--name value`. */
  settings?: Record<string, string>;
};

const upWithinMs = 30_000;

/** Append-only file, written to disk every second, and nothing evicted. */
const durable = { appendonly: 'yes', appendfsync: 'everysec', 'maxmemory-policy': 'noeviction' };

/**
 * A Redis of our own on loopback with durable settings. `stop` ends it and leaves its files; should this process die, it ends by itself.
 * @throws {SetupError} saying what to install, or where its log is.
 */
export async function startRedis({ directory, signal, settings = {} }: Options) {
  const command = await findOnPath('redis-server');
  if (!command) throw new SetupError('Redis: no `redis-server` found. On Debian: apt-get install redis-server');
  await mkdir(directory, { recursive: true });
  const port = await findFreePort();
  const logFile = join(directory, 'redis.log');
  const own = { bind: '127.0.0.1', port: String(port), dir: directory, ...durable, ...settings };
  const args = Object.entries(own).flatMap(([name, value]) => [`--${name}`, value]);
  const server = await startGuarded({ command, args, logFile });

  const deadline = performance.now() + upWithinMs;
  try {
    while (!(await isListening(port))) {
      if (!server.isAlive() || performance.now() > deadline)
        throw new SetupError(`Redis did not start: ${(await readFile(logFile, 'utf8')).trim().slice(-200)}`);
      await sleep(20, undefined, { signal });
    }
  } catch (error) {
    await server.stop();
    throw error;
  }
  const { stdout } = await execa(command, ['--version']);
  return {
    url: `redis://127.0.0.1:${port}`,
    pid: server.pid,
    /** `Redis 7.0.15` */
    version: `Redis ${/v=(\S+)/.exec(stdout)?.[1]}`,
    storage: 'Redis, appendonly, fsync every second: a power cut loses a second',
    logFile,
    stop: server.stop,
  };
}

export type Redis = Awaited<ReturnType<typeof startRedis>>;
