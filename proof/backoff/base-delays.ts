import type { Check } from '../checks/check.ts';
import { type Context, expectWaits, listWaits, type PolicyInput, toList, type Waits } from './waits.ts';

/** Each policy with its expected waits in seconds: one wait after each attempt except the last, then null. */
const cases: [what: string, policy: PolicyInput, expected: Waits][] = [
  ['base 0.1s, coefficient 2', { initialIntervalMs: 100 }, [0.1, 0.2, 0.4, 0.8, null]],
  ['base 0.5s, coefficient 2', { initialIntervalMs: 500 }, [0.5, 1, 2, 4, null]],
  ['base 1s, coefficient 2', { initialIntervalMs: 1_000 }, [1, 2, 4, 8, 16, null]],
  ['base 2s, coefficient 2', { initialIntervalMs: 2_000 }, [2, 4, 8, 16, 32, null]],
  ['base 5s, coefficient 2', { initialIntervalMs: 5_000 }, [5, 10, 20, 40, 80, null]],
  [
    'base 10s, coefficient 2, the cap of 300s binds',
    { initialIntervalMs: 10_000 },
    [10, 20, 40, 80, 160, 300, 300, null],
  ],
  ['base 2s, coefficient 1: a constant wait', { backoffCoefficient: 1 }, [2, 2, 2, 2, null]],
  ['base 2s, coefficient 1.5', { backoffCoefficient: 1.5 }, [2, 3, 4.5, 6.75, null]],
  ['base 1s, coefficient 3', { initialIntervalMs: 1_000, backoffCoefficient: 3 }, [1, 3, 9, 27, 81, null]],
  [
    'base 0.25s, coefficient 10, cap 20s',
    { initialIntervalMs: 250, backoffCoefficient: 10, maximumIntervalMs: 20_000 },
    [0.25, 2.5, 20, 20, null],
  ],
];

export const baseDelays: Check<Context> = {
  title: 'Different Base Delays',
  async run(_, { say }) {
    say('Testing base delays and coefficients:');
    const seen = cases.map(([what, policy, expected]) => {
      return { what, expected, waits: listWaits({ ...policy, maximumAttempts: expected.length }) };
    });
    for (const { what, waits } of seen) say(`  ${what}: ${toList(waits.slice(0, -1))}`);
    for (const { what, waits, expected } of seen) expectWaits(what, waits, expected);
    return `${cases.length} combinations of base delay and coefficient give the expected waits`;
  },
};
