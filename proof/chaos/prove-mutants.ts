import { join } from 'node:path';
import { type Mutant, mutants } from './mutants.ts';
import { proveOnce } from './prove-once.ts';
import type { RunOptions } from './run.ts';
import type { FaultKind } from './types.ts';

type Options = Pick<RunOptions, 'seed' | 'output' | 'say' | 'signal'>;

/** Short runs are enough to catch broken builds. Every mutant and the unbroken build get the same tasks and faults. */
const size = {
  tasks: 400,
  faults: 15,
  minutes: 5,
  only: ['kill-worker', 'kill-api', 'kill-temporal'] satisfies FaultKind[],
};

/**
 * Runs the unbroken build and each mutant. Returns the exit code: 0 if the unbroken build passed and each mutant broke
 * one of the invariants of its `caughtBy`, else 1.
 */
export async function proveMutants({ seed, output, say, signal }: Options): Promise<number> {
  const prove = (name: string, { mutations = [], inMemory = false }: Partial<Mutant>) =>
    proveOnce({
      ...size,
      seed,
      mutations,
      inMemory,
      command: `npm run prove -- --mutants --seed ${seed}`,
      output: join(output, name),
      say: () => {},
      signal,
    });
  say(`Each run: ${size.tasks} tasks, ${size.faults} faults of ${size.only.join(', ')}, seed ${seed}`);
  const { verdict, invariants } = await prove('unbroken', {});
  const broken = invariants.filter(({ violated }) => violated > 0).map(({ name }) => name);
  say(`${verdict === 'passed' ? '✅' : '❌'} the unbroken build: ${[verdict, ...broken].join(', ')}`);
  let caught = 0;
  for (const [index, mutant] of mutants.entries()) {
    const result = await prove(`mutant-${index + 1}`, mutant);
    const by = result.invariants.filter(({ violated }) => violated > 0).map(({ name }) => name);
    const isCaught = by.some((name) => mutant.caughtBy.includes(name));
    if (isCaught) caught += 1;
    say(`${isCaught ? '✅ caught' : '❌ not caught'} ${mutant.name}: ${by.join(', ') || 'no invariant is broken'}`);
  }
  say(`\n${caught} of ${mutants.length} mutants were caught`);
  return caught === mutants.length && verdict === 'passed' ? 0 : 1;
}
