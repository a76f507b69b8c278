import { execa } from 'execa';
import { createCacheSources, findOnPath, toCachePath } from './cache.ts';
import { type Obtain, obtainFirstWorking } from './first-working.ts';
import { buildWithGo } from './run-step.ts';
import { downloadThroughSdk } from './sdk-download.ts';

const version = 'v1.5.1';
const executable = 'temporal';

/** Resolves with the output of `--version`. Rejects if `path` is not a working Temporal CLI. */
async function checkTemporalCli(path: string): Promise<string> {
  const { stdout } = await execa(path, ['--version'], { timeout: 30_000, stdin: 'ignore' });
  if (!/^temporal version \S/.test(stdout)) throw new Error(`${path} --version prints "${stdout.slice(0, 80)}"`);
  return stdout.trim();
}

async function build(directory: string, { say, signal }: Obtain) {
  if (!(await findOnPath('go'))) throw new Error('go is not on PATH');
  const packages = ['github.com/temporalio/cli/cmd/temporal'];
  await buildWithGo('Temporal CLI', { packages, version, directory, say, signal });
}

/**
 * Returns the path of a working `temporal` binary. If `TEMPORAL_CLI_PATH` is set, tries only that. Otherwise tries
 * PATH, our cache, the SDK's official download and a build with Go, in this order. The last two sources fill the cache.
 * @throws {SetupError} if none works. The message says what to install.
 */
export async function obtainTemporalCli(options: Obtain): Promise<string> {
  const { say, signal } = options;
  const { cached, filled } = createCacheSources(toCachePath('temporal-cli', version), executable, checkTemporalCli);
  const download = (directory: string) =>
    downloadThroughSdk(directory, executable, { kind: 'dev-server', version, say, signal });
  return await obtainFirstWorking(
    {
      what: 'Temporal CLI',
      variable: 'TEMPORAL_CLI_PATH',
      check: checkTemporalCli,
      sources: [
        { name: 'PATH', find: () => findOnPath(executable) },
        cached,
        filled('the official download', download),
        filled('go install', (directory) => build(directory, options)),
      ],
      advice:
        'Install the Temporal CLI (https://docs.temporal.io/cli) or Go (https://go.dev/dl), or set TEMPORAL_CLI_PATH to a temporal binary.',
    },
    options,
  );
}
