import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { inject } from 'vitest';
import { type Mutation, mutate } from '../../proof/mutate.ts';

type Run = {
  /** A script of package.json, for example `stress:backoff`. */
  command: string;
  args?: string[];
  env?: Record<string, string>;
};

export type MutantEnd = { exitCode: number | undefined; output: string };

const root = fileURLToPath(new URL('../..', import.meta.url));
const longestRunMs = 300_000;

async function runInCopy({ command, args = [], env = {} }: Run, mutation?: Mutation): Promise<MutantEnd> {
  const copy = mkdtempSync(join(tmpdir(), 'holdfast-mutant-'));
  try {
    for (const name of ['src', 'cli', 'deploy', 'local', 'proof', 'scripts', 'package.json', 'tsconfig.json'])
      cpSync(join(root, name), join(copy, name), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    if (mutation) mutate(copy, mutation);
    const { exitCode, all } = await execa('npm', ['run', '--silent', command, '--', ...args], {
      cwd: copy,
      env: {
        TEMPORAL_CLI_PATH: inject('temporal').path,
        TEMPORAL_TEST_SERVER_PATH: inject('timeSkippingServer'),
        ...env,
      },
      stdin: 'ignore',
      all: true,
      reject: false,
      timeout: longestRunMs,
    });
    return { exitCode, output: all };
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/**
 * Breaks one thing in a copy of the project and runs a command there, as a user would. A check that still passes
 * proves nothing. The project itself stays as it is.
 * @throws when `file` does not contain `from` exactly once. Otherwise a mutant could silently change nothing.
 */
export const runMutant = ({ file, from, to, ...run }: Run & Mutation) => runInCopy(run, { file, from, to });

/** Runs a command in the same copy with nothing broken, to compare mutants with. */
export const runUnmutated = (run: Run) => runInCopy(run);
