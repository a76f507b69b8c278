import type { Mutation } from '../../../proof/mutate.ts';

/** `npm run fuzz` must fail and print `says`. */
type FuzzMutant = Mutation & { name: string; says: RegExp };

export const fuzzMutants: FuzzMutant[] = [
  {
    name: 'the 404 of a task is not documented',
    file: 'src/api/tasks/task-operations.ts',
    from: "['unauthorized', 'not-found', 'temporal-unavailable', 'overloaded']",
    to: "['unauthorized', 'temporal-unavailable', 'overloaded']",
    says: /Undocumented status code/,
  },
  {
    name: 'a body that does not fit its schema is accepted',
    file: 'src/api/http/body.ts',
    from: "if (!parsed.success) throw toValidationProblem('invalid-input', parsed.error);\n  return parsed.data;",
    to: 'return (parsed.success ? parsed.data : {}) as z.output<S>;',
    says: /Schema-violating request accepted/,
  },
];
