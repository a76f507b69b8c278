import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { mutants } from '../../../proof/chaos/mutants.ts';
import { proveOnce } from '../../../proof/chaos/prove-once.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdfast-prove-mutants-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('the proof of a build that gives each submission its own id reports that a key is not one task', async () => {
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
