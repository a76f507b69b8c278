import { toMaxInFlight } from '../../local/joke-api/ledger.ts';
import type { Finished } from '../../local/time-skipping/trial.ts';
import { type Check, expectThat, type Tools } from '../checks/check.ts';
import { calculateTogether } from './calculate-together.ts';
import type { Context } from './waits.ts';

const tasks = 200;
const gaps = 800;

/** Each policy gets half of the tasks. The longest waits of both policies overlap: at one moment, all tasks wait. */
const policies = [
  { what: 'the default policy', variables: {}, expected: [2, 4, 8, 16] },
  {
    what: 'base 3s, coefficient 3, cap 20s',
    variables: { BASE_DELAY: '3', BACKOFF_COEFFICIENT: '3', MAX_DELAY: '20' },
    expected: [3, 9, 20, 20],
  },
];

/** A gap must exceed the expected wait by less than this. Starting 200 attempts at once takes some of this time. */
const toleranceSeconds = 1.5;

/**
 * Returns by how many seconds each gap between two attempts exceeds the expected wait.
 * @throws {CheckFailure} for a gap below the expected wait, a gap above the tolerance, or a wrong number of calls.
 */
function toExcesses({ waits, calls }: Finished, task: number, { what, expected }: (typeof policies)[number]): number[] {
  const asExpected = waits.length === expected.length && calls.length === expected.length + 1;
  expectThat(asExpected, `Task ${task} (${what}): ${calls.length} calls, expected ${expected.length + 1}`);
  return expected.map((wait, index) => {
    const excess = (waits[index] ?? Number.NaN) - wait;
    const place = `Task ${task} (${what}), gap ${index + 1}`;
    expectThat(excess >= 0, `${place}: ${waits[index]} s, shorter than ${wait} s`);
    expectThat(excess < toleranceSeconds, `${place}: ${waits[index]} s, expected ${wait} s`);
    return excess;
  });
}

/** Returns the largest number of tasks that waited between two attempts at the same moment of virtual time. */
const toMostWaiting = (ends: Finished[]): number =>
  toMaxInFlight(
    ends.flatMap(({ attempts }) =>
      attempts.slice(1).map((next, index) => ({
        startedAt: attempts[index]?.endedAt ?? Number.NaN,
        endedAt: next.startedAt,
      })),
    ),
  );

async function retryTogether({ timeSkipping }: Context, { say, progress, signal }: Tools): Promise<void> {
  const { runAll } = await timeSkipping();
  const finished = (count: number) => {
    if (count === 0) say(`  ${tasks} tasks started on the time-skipping server, whose upstream answers 503`);
    progress(`${tasks} tasks retrying at once`, count, tasks);
  };
  const plans = policies.flatMap((policy) => Array.from({ length: tasks / policies.length }, () => policy));
  const ends = await runAll(
    plans.map(({ variables }) => ({ variables, behaviours: [{ status: 503 }], repeat: true })),
    { signal, finished },
  );
  const excesses = ends.flatMap((end, index) => {
    const policy = plans[index];
    return policy ? toExcesses(end, index + 1, policy) : [];
  });
  const waiting = toMostWaiting(ends);
  const toMs = (seconds: number) => Math.round(seconds * 1_000);
  say(`  ${waiting} of them were waiting at the same moment`);
  say(`  ${excesses.length} gaps, none shorter than the policy's wait,`);
  say(`  longer by ${toMs(Math.min(...excesses))} to ${toMs(Math.max(...excesses))}ms`);
  expectThat(excesses.length === gaps, `${excesses.length} gaps were seen, expected ${gaps}`);
  expectThat(waiting === tasks, `Only ${waiting} of ${tasks} tasks were waiting at the same moment`);
}

export const concurrentRetries: Check<Context> = {
  title: 'Concurrent Retry Stress Test',
  async run(context, tools) {
    tools.say('Testing under concurrent load:');
    const calculated = (await calculateTogether()).toLocaleString('en');
    tools.say(`  ${calculated} concurrent calculations: all as expected`);
    await retryTogether(context, tools);
    return `${calculated} concurrent calculations and all ${gaps} gaps of ${tasks} concurrent tasks are as expected`;
  },
};
