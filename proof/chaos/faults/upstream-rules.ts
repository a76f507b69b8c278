import type { RuleInput } from '../../../local/joke-api/rules.ts';
import type { FaultKind } from '../types.ts';

/** The Retry-After of the fault `upstream-429`: longer than each of the first two waits of the policy. */
export const faultRetryAfterSeconds = 2;
/** The Retry-After for the first attempt of a `prove-limited` task. Holdfast clamps it to the maximum interval. */
export const longRetryAfterSeconds = 60;

/**
 * The upstream's behaviour during a fault. `upstream-hang` has the lowest ratio, because each hanging call occupies a
 * worker's slot for nearly 10 s.
 */
const faultRules: Partial<Record<FaultKind, RuleInput>> = {
  'upstream-5xx': { then: [{ status: 503 }], ratio: 0.8 },
  'upstream-429': { then: [{ status: 429, retryAfter: String(faultRetryAfterSeconds) }], ratio: 0.6 },
  'upstream-hang': { then: [{ hang: 'headers' }], ratio: 0.3 },
  'upstream-reset': { then: [{ reset: 'before-headers' }], ratio: 0.7 },
  'upstream-slow': { then: [{ bytesPerSecond: 250 }], ratio: 0.5 },
};

/** Returns the upstream's rule for a fault. `seed` decides which calls the rule affects. */
export function toFaultRule(kind: FaultKind, seed: number): RuleInput {
  const rule = faultRules[kind];
  if (!rule) throw new Error(`${kind} is not a fault of the upstream`);
  return { ...rule, repeat: true, seed };
}

const category = (name: string, then: RuleInput['then'], more: Partial<RuleInput> = {}): RuleInput => ({
  when: { category: name },
  then,
  repeat: true,
  ...more,
});

/** The upstream's behaviour for each category of task, while no fault changes it. */
export const ordinaryRules: RuleInput[] = [
  category('prove-plain', [{ delayMs: 50 }]),
  category('prove-slow', [{ delayMs: 2_000 }]),
  category('prove-flaky', [{ status: 503 }], { ratio: 0.4 }),
  category('prove-final', [{ status: 404 }]),
  category('prove-down', [{ status: 503 }]),
  {
    when: { category: 'prove-limited', attempt: 1 },
    then: [{ status: 429, retryAfter: String(longRetryAfterSeconds) }],
    repeat: true,
  },
  category('prove-cancel', [{ delayMs: 2_500 }]),
];
