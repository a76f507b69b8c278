import { execa } from 'execa';
import { createProgress, type Say } from '../../cli/progress.ts';

type Step = {
  say: Say;
  signal?: AbortSignal | undefined;
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Returns the progress text. `lines` is the number of lines printed so far, and `line` is the latest of them. */
  describe: (lines: number, line: string) => string;
};

/**
 * Runs a slow command and shows its progress.
 * @throws {Error} if the command fails. The message has the exit code and the last three lines of the command's output.
 */
export async function runStep(command: string, args: string[], { say, signal, cwd, env, describe }: Step) {
  const progress = createProgress(say);
  let lines = 0;
  let latest = '';
  const tick = setInterval(() => progress.update(describe(lines, latest)), 1_000);
  const child = execa(command, args, {
    all: true,
    reject: false,
    stdin: 'ignore',
    ...(signal && { cancelSignal: signal }),
    ...(cwd && { cwd }),
    ...(env && { env }),
  });
  try {
    for await (const line of child.iterable({ from: 'all' })) {
      lines += 1;
      latest = String(line);
    }
    const result = await child;
    signal?.throwIfAborted();
    if (result.failed) {
      const lastLines = result.all.trim().split('\n').slice(-3).join(' · ');
      throw new Error(`${command} ended with ${result.exitCode ?? result.signal ?? result.code}: ${lastLines}`);
    }
  } finally {
    clearInterval(tick);
    progress.end();
  }
}

type GoBuild = Pick<Step, 'say' | 'signal'> & { packages: string[]; version: string; directory: string };

/**
 * Builds Go packages into `directory` and shows the progress. `what` names them in messages.
 * @throws {Error} if the build fails.
 */
export async function buildWithGo(what: string, { packages, version, directory, say, signal }: GoBuild) {
  say(`${what}: building ${version} with go install; the first build takes a few minutes`);
  const env = { GOBIN: directory, GOOS: '', GOARCH: '' };
  const describe = (lines: number, line: string) =>
    `${what}: building${line && `, ${lines} modules and packages done, now ${line}`}`;
  const targets = packages.map((name) => `${name}@${version}`);
  await runStep('go', ['install', '-v', ...targets], { say, signal, env, describe });
}
