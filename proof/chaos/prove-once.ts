import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { SetupError } from '../../cli/setup-error.ts';
import { createTemporaryDirectory } from '../../cli/temporary-directory.ts';
import type { ProveResult } from './judge/result.ts';
import { toResult } from './judge/to-result.ts';
import { toProveReport } from './report/render-report.ts';
import { type RunOptions, runProof } from './run.ts';

type Options = Omit<RunOptions, 'directory'> & {
  /** The command line of this run, for the report. */
  command: string;
};

const files = ['history.jsonl', 'ledger.jsonl', 'executions.jsonl', 'faults.jsonl', 'prove.json', 'prove.html', 'logs'];

function makeDirectory(path: string) {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new SetupError(`${path} cannot be made a directory (${code}): name another with --output.`);
  }
}

const toLines = (values: unknown[]) => values.map((value) => `${JSON.stringify(value)}\n`).join('');

/**
 * Runs the proof once, and returns the result with the verdict. Writes the records as JSON lines, the logs,
 * `prove.json` and `prove.html` to `output`, and removes the files of an earlier run.
 * @throws {SetupError} if `output` cannot be a directory or a part of the stack does not start.
 */
export async function proveOnce({ command, ...options }: Options): Promise<ProveResult> {
  // The path must be absolute, because the processes of the stack have other working directories.
  const output = resolve(options.output);
  makeDirectory(output);
  for (const name of files) rmSync(join(output, name), { recursive: true, force: true });
  const { path: directory, remove } = createTemporaryDirectory('holdfast-prove-');
  const began = performance.now();
  try {
    const evidence = await runProof({ ...options, output, directory });
    const result = toResult(evidence, { command, seconds: (performance.now() - began) / 1_000 });
    writeFileSync(join(output, 'ledger.jsonl'), toLines(evidence.calls));
    writeFileSync(join(output, 'executions.jsonl'), toLines(evidence.executions));
    writeFileSync(join(output, 'faults.jsonl'), toLines(evidence.faults));
    writeFileSync(join(output, 'prove.json'), `${JSON.stringify(result, null, 1)}\n`);
    writeFileSync(join(output, 'prove.html'), toProveReport(result));
    return result;
  } finally {
    remove();
  }
}
