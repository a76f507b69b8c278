import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';

const abandonedAfterMs = 24 * 60 * 60 * 1_000;

/** Returns a path in our cache. The cache is outside the repository, so that all clones share it. */
export const toCachePath = (...parts: string[]) =>
  join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'holdfast', ...parts);

/** Returns whether `path` is a file that this user may run. */
export const isExecutable = (path: string) =>
  access(path, constants.X_OK).then(
    async () => (await stat(path)).isFile(),
    () => false,
  );

/** Returns the absolute path of a command on PATH, or undefined if PATH does not have it. */
export async function findOnPath(command: string): Promise<string | undefined> {
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    const path = resolve(directory, command);
    if (directory && (await isExecutable(path))) return path;
  }
  return undefined;
}

/** Removes directories that killed builds left behind. Keeps those of the last day, as their builds may still run. */
async function removeAbandoned(parent: string) {
  for (const name of await readdir(parent)) {
    const path = join(parent, name);
    if (!name.startsWith('.new-')) continue;
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > abandonedAfterMs) await rm(path, { recursive: true, force: true });
  }
}

/**
 * Fills the cache directory `entry`. `fill` writes into a new directory beside `entry`, `check` tests that directory,
 * and a rename then puts it in place. The entry is therefore never incomplete, even if two clones fill it at once or
 * one of them is killed. If another process filled the entry first, that entry is kept, unless `check` rejects it.
 * @throws {Error} the error of `fill` or `check`.
 */
export async function fillCache(
  entry: string,
  { fill, check }: { fill: (directory: string) => Promise<void>; check: (directory: string) => Promise<unknown> },
) {
  const parent = join(entry, '..');
  await mkdir(parent, { recursive: true });
  await removeAbandoned(parent);
  const fresh = await mkdtemp(join(parent, '.new-'));
  try {
    await fill(fresh);
    await check(fresh);
    const isOccupied = (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
      return true;
    };
    if (!(await rename(fresh, entry).catch(isOccupied))) return;
    if (await check(entry).catch(() => undefined)) return;
    await rename(entry, `${fresh}-broken`);
    await rename(fresh, entry);
  } finally {
    await rm(fresh, { recursive: true, force: true });
    await rm(`${fresh}-broken`, { recursive: true, force: true });
  }
}

/**
 * Returns sources for `obtainFirstWorking`: `cached` finds an executable in the cache directory `entry`, and `filled`
 * fills that directory first. `file` is the executable's path in the directory.
 */
export function createCacheSources(entry: string, file: string, check: (path: string) => Promise<unknown>) {
  const path = join(entry, file);
  return {
    cached: { name: 'the cache', find: async () => ((await isExecutable(path)) ? path : undefined) },
    filled: (name: string, fill: (directory: string) => Promise<void>) => ({
      name,
      find: async () => {
        await fillCache(entry, { fill, check: (directory) => check(join(directory, file)) });
        return path;
      },
    }),
  };
}
