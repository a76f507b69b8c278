import { expect, test } from 'vitest';
import { runMutant } from '../../support/mutant.ts';

type Mutant = { broken: string; file: string; from: string; to: string; says: RegExp };

const mutants: Mutant[] = [
  {
    broken: 'the 404 of a task is not documented',
    file: 'src/api/tasks/task-routes.ts',
    from: "['unauthorized', 'not-found', 'temporal-unavailable']",
    to: "['unauthorized', 'temporal-unavailable']",
    says: /Undocumented status code/,
  },
  {
    broken: 'a body that does not fit its schema is accepted',
    file: 'src/api/http/body.ts',
    from: "if (!parsed.success) throw toValidationProblem('invalid-input', parsed.error);\n  return parsed.data;",
    to: 'return (parsed.success ? parsed.data : {}) as z.output<S>;',
    says: /Schema-violating request accepted/,
  },
];

// The control without a mutation is the fuzzer's own run in `.ci/run`.
test.each(mutants)('the fuzzer fails when $broken', { timeout: 300_000 }, async ({ file, from, to, says }) => {
  const { exitCode, output } = await runMutant({ command: 'fuzz', args: ['--examples', '1'], file, from, to });
  expect({ exitCode, said: says.test(output), output }).toMatchObject({ exitCode: 1, said: true });
});
