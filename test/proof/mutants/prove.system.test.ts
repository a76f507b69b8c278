import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { invariants } from '../../../proof/chaos/judge/invariants/index.ts';
import { mutants } from '../../../proof/chaos/mutants.ts';
import { proveOnce } from '../../../proof/chaos/prove-once.ts';
import { mutate } from '../../../proof/mutate.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'holdfast-prove-mutants-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

// All of them are run by `npm run prove -- --mutants`, which takes a quarter of an hour.
test.each(mutants)('$name can be made of today’s code, and is to be caught by invariants that there are', (mutant) => {
  const copy = mkdtempSync(join(directory, 'copy-'));
  cpSync(join(root, 'src'), join(copy, 'src'), { recursive: true });
  for (const mutation of mutant.mutations) mutate(copy, mutation);
  expect(mutant.mutations.length > 0 || mutant.inMemory).toBe(true);
  expect(invariants.map(({ name }) => name)).toEqual(expect.arrayContaining(mutant.caughtBy));
});

test('of a build that gives each submission an id of its own, the proof says that a key is not one task', async () => {
  const random = mutants.find(({ caughtBy }) => caughtBy[0] === 'one-task-per-key');
  const { verdict, invariants: results } = await proveOnce({
    tasks: 120,
    faults: 4,
    seed: 3,
    minutes: 5,
    only: ['kill-api', 'drop-clients'],
    mutations: random?.mutations ?? [],
    command: '',
    output: join(directory, 'output'),
    say: () => {},
    signal: new AbortController().signal,
  });
  expect(results.filter(({ violated }) => violated > 0).map(({ name }) => name)).toContain('one-task-per-key');
  expect(verdict).toBe('failed');
}, 200_000);
