import type { RuleInput } from '../../../local/joke-api/rules.ts';
import type { FaultKind } from '../types.ts';

/** What a storm of 429s asks for, longer than the first two waits of the policy. */
export const stormRetryAfterSeconds = 2;
/** What `prove-limited` asks for at its first attempt: far more than the maximum interval, to which it is clamped. */
export const longRetryAfterSeconds = 60;

/** How the upstream misbehaves in a storm. A hung call takes its place in a worker for nearly 10 s: few of them. */
const storms: Partial<Record<FaultKind, RuleInput>> = {
  'upstream-5xx': { then: [{ status: 503 }], ratio: 0.8 },
  'upstream-429': { then: [{ status: 429, retryAfter: String(stormRetryAfterSeconds) }], ratio: 0.6 },
  'upstream-hang': { then: [{ hang: 'headers' }], ratio: 0.3 },
  'upstream-reset': { then: [{ reset: 'before-headers' }], ratio: 0.7 },
  'upstream-slow': { then: [{ bytesPerSecond: 250 }], ratio: 0.5 },
};

/** The rule of a storm; `seed` makes the choice of its victims another one each time. */
export function toStorm(kind: FaultKind, seed: number): RuleInput {
  const storm = storms[kind];
  if (!storm) throw new Error(`${kind} is no storm`);
  return { ...storm, repeat: true, seed };
}

const category = (name: string, then: RuleInput['then'], more: Partial<RuleInput> = {}): RuleInput => ({
  when: { category: name },
  then,
  repeat: true,
  ...more,
});

/** What the upstream does with each kind of task while nothing is wrong. */
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
