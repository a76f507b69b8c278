import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { createCacheSources, findOnPath, toCachePath } from './cache.ts';
import { type Obtain, obtainFirstWorking } from './first-working.ts';
import { buildWithGo } from './run-step.ts';

type Options = Pick<Obtain, 'say' | 'signal'>;

/** What `go install` builds. It cannot build the Temporal CLI. Each build has a directory of its own in our cache. */
type Build = { what: string; name: string; version: string; packages: string[] };

const server: Build = {
  what: 'Temporal server',
  name: 'temporal-server',
  version: 'v1.32.1',
  packages: ['go.temporal.io/server/cmd/server', 'go.temporal.io/server/cmd/tools/sql'],
};
const webUi: Build = {
  what: 'Temporal Web UI',
  name: 'temporal-ui',
  version: 'v2.54.1',
  packages: ['github.com/temporalio/ui-server/v2/cmd/server'],
};

/** Resolves with the output of `--version`. Rejects if `path` does not run, or if the output does not match. */
export async function readVersion(path: string, expected: RegExp): Promise<string> {
  const { stdout } = await execa(path, ['--version'], { timeout: 30_000, stdin: 'ignore' });
  if (!expected.test(stdout)) throw new Error(`${path} --version prints "${stdout.slice(0, 80)}"`);
  return stdout.trim();
}

/** Returns the path of the tool for SQL schemas, which is built together with the server. */
const toSqlTool = (serverPath: string) => join(dirname(serverPath), 'sql');

async function checkServer(path: string): Promise<string> {
  await execa(toSqlTool(path), ['--help'], { timeout: 30_000, stdin: 'ignore' });
  return await readVersion(path, /^temporal version \S/);
}

const checkWebUi = (path: string) => readVersion(path, /^Temporal UI version \S/);

/** Returns two sources of a build: our cache, and `go install`, which fills the cache. */
function createSources(
  { what, name, version, packages }: Build,
  check: (path: string) => Promise<string>,
  options: Options,
) {
  const { cached, filled } = createCacheSources(toCachePath(name, version), 'server', check);
  const build = async (directory: string) => {
    if (!(await findOnPath('go'))) throw new Error('go is not on PATH');
    await buildWithGo(what, { packages, version, directory, ...options });
  };
  return { cached: { ...cached, name: 'the cache of builds' }, built: filled('go install', build) };
}

export const createServerSources = (options: Options) => createSources(server, checkServer, options);

async function obtainBuild(build: Build, check: (path: string) => Promise<string>, options: Options) {
  const { cached, built } = createSources(build, check, options);
  const advice = 'Building it needs Go: install Go (https://go.dev/dl).';
  const wanted = { what: build.what, check, sources: [cached, built], advice };
  return await obtainFirstWorking(wanted, { ...options, explicitPath: undefined });
}

/**
 * Returns the paths of the Temporal server and of its tool for SQL schemas. If our cache does not have them, builds
 * them with Go.
 * @throws {SetupError} if they must be built and Go is not installed.
 */
export async function obtainTemporalServer(options: Options) {
  const path = await obtainBuild(server, checkServer, options);
  return { server: path, sqlTool: toSqlTool(path) };
}

/**
 * Returns the path of the server of Temporal's Web UI. If our cache does not have it, builds it with Go.
 * @throws {SetupError} if it must be built and Go is not installed.
 */
export const obtainWebUi = (options: Options) => obtainBuild(webUi, checkWebUi, options);
