import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { SetupError } from '../../cli/setup-error.ts';
import { createTemporaryDirectory } from '../../cli/temporary-directory.ts';
import type { ProveResult } from './judge/result.ts';
import { toResult } from './judge/to-result.ts';
import { type RunOptions, runProof } from './run.ts';

type Options = Omit<RunOptions, 'directory'> & {
  /** The command line that makes this run, for the report. */
  command: string;
};

const left = ['history.jsonl', 'ledger.jsonl', 'executions.jsonl', 'faults.jsonl', 'prove.json', 'prove.html', 'logs'];

function makeDirectory(path: string) {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new SetupError(`${path} cannot be made a directory (${code}): name another with --output.`);
  }
}

const toLines = (values: unknown[]) => values.map((value) => `${JSON.stringify(value)}\n`).join('');

/** One run and its verdict. `output` gets the three records, one line each, the logs and `prove.json`; what an earlier run left there goes. */
export async function proveOnce({ command, ...options }: Options): Promise<ProveResult> {
  // Its processes work elsewhere.
  const output = resolve(options.output);
  makeDirectory(output);
  // Nothing else that may be there.
  for (const name of left) rmSync(join(output, name), { recursive: true, force: true });
  const { path: directory, remove } = createTemporaryDirectory('holdfast-prove-');
  const began = performance.now();
  try {
    const evidence = await runProof({ ...options, output, directory });
    const result = toResult(evidence, { command, seconds: (performance.now() - began) / 1_000 });
    writeFileSync(join(output, 'ledger.jsonl'), toLines(evidence.calls));
    writeFileSync(join(output, 'executions.jsonl'), toLines(evidence.executions));
    writeFileSync(join(output, 'faults.jsonl'), toLines(evidence.faults));
    writeFileSync(join(output, 'prove.json'), `${JSON.stringify(result, null, 1)}\n`);
    return result;
  } finally {
    remove();
  }
}
