import { expect, test } from 'vitest';
import { runMutant } from '../../support/mutant.ts';
import { fuzzMutants } from './fuzz.ts';

// The control without a mutation is the fuzzer's own run in `.ci/run`.
test.concurrent.each(fuzzMutants)(
  'the fuzzer fails when $name',
  { timeout: 300_000 },
  async ({ file, from, to, says }) => {
    const { exitCode, output } = await runMutant({ command: 'fuzz', args: ['--examples', '1'], file, from, to });
    expect({ exitCode, said: says.test(output), output }).toMatchObject({ exitCode: 1, said: true });
  },
);
