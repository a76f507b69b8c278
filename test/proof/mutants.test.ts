import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { invariants } from '../../proof/chaos/judge/invariants/index.ts';
import { mutants } from '../../proof/chaos/mutants.ts';
import type { Mutation } from '../../proof/mutate.ts';
import { fuzzMutants } from './mutants/fuzz.ts';
import { scenarioMutants } from './mutants/scenario.ts';
import { backoffMutants } from './mutants/stress-backoff.ts';
import { systemMutants } from './mutants/stress-system.ts';

const suites: Record<string, (Mutation & { name: string })[]> = {
  fuzz: fuzzMutants,
  'stress:backoff': backoffMutants,
  'stress:system': systemMutants,
  scenario: scenarioMutants,
  prove: mutants.flatMap(({ name, mutations }) => mutations.map((mutation) => ({ name, ...mutation }))),
};

const readSource = (file: string) => readFileSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), 'utf8');

// A mutant whose text is no longer in the code breaks nothing. The slow suites would notice it only after minutes.
describe.each(Object.entries(suites))('%s: each mutant applies to the present code', (_, list) => {
  test.each(list)('$name', ({ file, from, to }) => {
    expect(readSource(file).split(from)).toHaveLength(2);
    expect(to).not.toBe(from);
  });
});

// `npm run prove -- --mutants` runs all of them, which takes a quarter of an hour.
test.each(mutants)('prove: the invariants that must catch $name exist', ({ mutations, inMemory, caughtBy }) => {
  expect(mutations.length > 0 || inMemory).toBe(true);
  expect(invariants.map(({ name }) => name)).toEqual(expect.arrayContaining(caughtBy));
});
