import type { TimeSkipping } from '../../local/time-skipping/start-time-skipping.ts';
import { type Policy, policySchema, toWaitMs } from '../../src/policy.ts';
import { expectThat } from '../checks/check.ts';

/** What all checks can use. */
export type Context = {
  /** Returns the time-skipping server. The first call starts it. */
  timeSkipping(): Promise<TimeSkipping>;
};

export type PolicyInput = Partial<Policy>;

/** The wait after each attempt, in seconds. After the last attempt it is null. */
export type Waits = (number | null)[];

/** Returns the wait after each attempt. `input` replaces parameters of the default policy. */
export function listWaits(input: PolicyInput): Waits {
  const policy = policySchema.parse(input);
  return Array.from({ length: policy.maximumAttempts }, (_, index) => {
    const waitMs = toWaitMs(policy, index + 1);
    return waitMs === null ? null : waitMs / 1_000;
  });
}

export const toList = (waits: Waits) => `[${waits.map((wait) => wait ?? 'none').join(', ')}]`;

/** @throws {CheckFailure} unless `waits` equals `expected`. */
export function expectWaits(what: string, waits: Waits, expected: Waits): void {
  const equal = waits.length === expected.length && waits.every((wait, index) => wait === expected[index]);
  expectThat(equal, `${what}: the waits are ${toList(waits)}, expected ${toList(expected)}`);
}
