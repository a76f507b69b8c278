import { setImmediate as turn } from 'node:timers/promises';
import { policySchema, toWaitMs } from '../../src/policy.ts';
import { expectThat } from '../checks/check.ts';
import { expectWaits, type PolicyInput, type Waits } from './waits.ts';

/** Each round has 25 calculations, so there are 10,000 in all. */
const rounds = 400;
const table: { policy: PolicyInput; expected: Waits }[] = [
  { policy: { maximumAttempts: 6 }, expected: [2, 4, 8, 16, 32, null] },
  { policy: { maximumAttempts: 4, initialIntervalMs: 500 }, expected: [0.5, 1, 2, null] },
  { policy: { maximumAttempts: 5, backoffCoefficient: 1.5 }, expected: [2, 3, 4.5, 6.75, null] },
  { policy: { maximumAttempts: 8, maximumIntervalMs: 60_000 }, expected: [2, 4, 8, 16, 32, 60, 60, null] },
  { policy: { maximumAttempts: 2, backoffCoefficient: 1 }, expected: [2, null] },
];

/** Runs 10,000 calculations under five policies concurrently, and returns the number of calculations. */
export async function calculateTogether(): Promise<number> {
  const calculate = async (policy: PolicyInput, attempt: number) => {
    await turn();
    const waitMs = toWaitMs(policySchema.parse(policy), attempt);
    return waitMs === null ? null : waitMs / 1_000;
  };
  const lists = await Promise.all(
    Array.from({ length: rounds }, () => table)
      .flat()
      .map(async ({ policy, expected }) => ({
        waits: await Promise.all(expected.map((_, index) => calculate(policy, index + 1))),
        expected,
      })),
  );
  for (const { waits, expected } of lists) expectWaits('Among 10,000 concurrent calculations', waits, expected);
  const calculated = lists.flatMap(({ waits }) => waits).length;
  expectThat(calculated === 10_000, `${calculated} calculations were made, expected 10,000`);
  return calculated;
}
