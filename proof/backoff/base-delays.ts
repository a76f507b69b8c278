import type { Check } from '../checks/check.ts';
import { type Context, expectWaits, listWaits, type PolicyInput, toList, type Waits } from './waits.ts';

const cases: { what: string; policy: PolicyInput; expected: Waits }[] = [
  {
    what: 'base 0.1s, coefficient 2',
    policy: { initialIntervalMs: 100, maximumAttempts: 5 },
    expected: [0.1, 0.2, 0.4, 0.8, null],
  },
  {
    what: 'base 0.5s, coefficient 2',
    policy: { initialIntervalMs: 500, maximumAttempts: 5 },
    expected: [0.5, 1, 2, 4, null],
  },
  {
    what: 'base 1s, coefficient 2',
    policy: { initialIntervalMs: 1_000, maximumAttempts: 6 },
    expected: [1, 2, 4, 8, 16, null],
  },
  {
    what: 'base 2s, coefficient 2',
    policy: { initialIntervalMs: 2_000, maximumAttempts: 6 },
    expected: [2, 4, 8, 16, 32, null],
  },
  {
    what: 'base 5s, coefficient 2',
    policy: { initialIntervalMs: 5_000, maximumAttempts: 6 },
    expected: [5, 10, 20, 40, 80, null],
  },
  {
    what: 'base 10s, coefficient 2, the cap of 300s binds',
    policy: { initialIntervalMs: 10_000, maximumAttempts: 8 },
    expected: [10, 20, 40, 80, 160, 300, 300, null],
  },
  {
    what: 'base 2s, coefficient 1: a constant wait',
    policy: { backoffCoefficient: 1, maximumAttempts: 5 },
    expected: [2, 2, 2, 2, null],
  },
  {
    what: 'base 2s, coefficient 1.5',
    policy: { backoffCoefficient: 1.5, maximumAttempts: 5 },
    expected: [2, 3, 4.5, 6.75, null],
  },
  {
    what: 'base 1s, coefficient 3',
    policy: { initialIntervalMs: 1_000, backoffCoefficient: 3, maximumAttempts: 6 },
    expected: [1, 3, 9, 27, 81, null],
  },
  {
    what: 'base 0.25s, coefficient 10, cap 20s',
    policy: { initialIntervalMs: 250, backoffCoefficient: 10, maximumIntervalMs: 20_000, maximumAttempts: 5 },
    expected: [0.25, 2.5, 20, 20, null],
  },
];

export const baseDelays: Check<Context> = {
  title: 'Different Base Delays',
  async run(_, { say }) {
    say('Testing base delays and coefficients:');
    const seen = cases.map((one) => ({ ...one, waits: listWaits(one.policy) }));
    for (const { what, waits } of seen) say(`  ${what}: ${toList(waits.slice(0, -1))}`);
    for (const { what, waits, expected } of seen) expectWaits(what, waits, expected);
    return `${cases.length} combinations of base delay and coefficient give the waits expected of them`;
  },
};
