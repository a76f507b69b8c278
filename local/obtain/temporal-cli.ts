import { join } from 'node:path';
import { execa } from 'execa';
import { fillCache, findOnPath, isExecutable, toCachePath } from './cache.ts';
import { type Obtain, obtainFirstWorking } from './first-working.ts';
import { runStep } from './run-step.ts';
import { downloadThroughSdk } from './sdk-download.ts';

const version = 'v1.5.1';
const executable = 'temporal';

/** Resolves with the output of `--version`. Rejects if `path` is not a working Temporal CLI. */
async function checkTemporalCli(path: string): Promise<string> {
  const { stdout } = await execa(path, ['--version'], { timeout: 30_000, stdin: 'ignore' });
  if (!/^temporal version \S/.test(stdout)) throw new Error(`${path} --version prints "${stdout.slice(0, 80)}"`);
  return stdout.trim();
}

async function buildWithGo(directory: string, { say, signal }: Obtain) {
  if (!(await findOnPath('go'))) throw new Error('go is not on PATH');
  say(`Temporal CLI: building ${version} with go install; the first build takes a few minutes`);
  await runStep('go', ['install', '-v', `github.com/temporalio/cli/cmd/temporal@${version}`], {
    say,
    signal,
    env: { GOBIN: directory, GOOS: '', GOARCH: '' },
    describe: (lines, line) => `Temporal CLI: building${line && `, ${lines} modules and packages done, now ${line}`}`,
  });
}

/**
 * Returns the path of a working `temporal` binary. If `TEMPORAL_CLI_PATH` is set, tries only that. Otherwise tries
 * PATH, our cache, the SDK's official download and a build with Go, in this order. The last two fill the cache.
 * @throws {SetupError} if none works. The message says what to install.
 */
export async function obtainTemporalCli(options: Obtain): Promise<string> {
  const { say, signal } = options;
  const entry = toCachePath('temporal-cli', version);
  const cached = join(entry, executable);
  const obtain = (fill: (directory: string) => Promise<void>) => async () => {
    await fillCache(entry, { fill, check: (directory) => checkTemporalCli(join(directory, executable)) });
    return cached;
  };
  return await obtainFirstWorking(
    {
      what: 'Temporal CLI',
      variable: 'TEMPORAL_CLI_PATH',
      check: checkTemporalCli,
      sources: [
        { name: 'PATH', find: () => findOnPath(executable) },
        { name: 'the cache', find: async () => ((await isExecutable(cached)) ? cached : undefined) },
        {
          name: 'the official download',
          find: obtain((directory) =>
            downloadThroughSdk(directory, executable, { kind: 'dev-server', version, say, signal }),
          ),
        },
        { name: 'go install', find: obtain((directory) => buildWithGo(directory, options)) },
      ],
      advice:
        'Install the Temporal CLI (https://docs.temporal.io/cli) or Go (https://go.dev/dl), or set TEMPORAL_CLI_PATH to a temporal binary.',
    },
    options,
  );
}
