import { join } from 'node:path';
import { execa } from 'execa';
import type { Say } from '../../cli/progress.ts';
import { SetupError } from '../../cli/setup-error.ts';
import { fillCache, findOnPath, isExecutable, toCachePath } from '../obtain/cache.ts';
import { buildWithGo } from '../obtain/run-step.ts';

const version = 'v1.29.1';
const packages = ['go.temporal.io/server/cmd/server', 'go.temporal.io/server/cmd/tools/sql'];

/** Returns the paths of the executables, under the names that `go install` gives them. */
const toExecutables = (directory: string) => ({ server: join(directory, 'server'), sqlTool: join(directory, 'sql') });

async function check(directory: string) {
  const { server, sqlTool } = toExecutables(directory);
  const options = { timeout: 30_000, stdin: 'ignore' } as const;
  await execa(sqlTool, ['--help'], options);
  return (await execa(server, ['--version'], options)).stdout.trim();
}

/**
 * Returns the paths of the production server and its schema tool, and checks that both run. If our cache does not have
 * them, builds them with Go.
 * @throws {SetupError} if they must be built and Go is not installed.
 */
export async function obtainTemporalServer({ say, signal }: { say: Say; signal: AbortSignal }) {
  const entry = toCachePath('temporal-server', version);
  const executables = toExecutables(entry);
  if (!(await isExecutable(executables.server))) {
    if (!(await findOnPath('go')))
      throw new SetupError(
        'Temporal server: none in the cache, and building it needs Go. Install Go (https://go.dev/dl).',
      );
    const fill = (directory: string) => buildWithGo('Temporal server', { packages, version, directory, say, signal });
    await fillCache(entry, { fill, check });
  }
  say(`Temporal server: ${await check(entry)} (${executables.server})`);
  return executables;
}
