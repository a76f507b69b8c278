import { policySchema, toWaitMs } from '../../src/policy.ts';
import { expectThat } from '../checks/check.ts';

export type PolicyInput = Parameters<typeof policySchema.parse>[0];

/** Seconds; null for no further attempt. */
export type Waits = (number | null)[];

/** What the policy says after each of its attempts. `input` overrides the default policy; milliseconds in it. */
export function listWaits(input: PolicyInput): Waits {
  const policy = policySchema.parse(input);
  return Array.from({ length: policy.maximumAttempts }, (_, index) => {
    const waitMs = toWaitMs(policy, index + 1);
    return waitMs === null ? null : waitMs / 1_000;
  });
}

export const toList = (waits: Waits) => `[${waits.map((wait) => wait ?? 'none').join(', ')}]`;

/** @throws {CheckFailure} unless they are equal, element by element. */
export function expectWaits(what: string, waits: Waits, expected: Waits): void {
  const equal = waits.length === expected.length && waits.every((wait, index) => wait === expected[index]);
  expectThat(equal, `${what}: the waits are ${toList(waits)}, expected ${toList(expected)}`);
}
