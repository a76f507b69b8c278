import { type Policy, toRetryDelayMs, toWaitMs } from '../policy.ts';

/** Converts milliseconds to seconds, rounded to microseconds to hide floating-point errors. */
export const toSeconds = (ms: number) => Math.round(ms * 1_000) / 1_000_000;

/** Returns the longest possible wait after `attempt`, with jitter, in milliseconds, or 0 after the last attempt. */
export function toLongestWaitMs(policy: Policy, attempt: number): number {
  const waitMs = toWaitMs(policy, attempt) ?? 0;
  if (policy.jitter === 0) return waitMs;
  return Math.max(waitMs, toRetryDelayMs(policy, attempt, { jitter: policy.jitter, random: () => 1 }) ?? 0);
}
