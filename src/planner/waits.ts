import { type Policy, toRetryDelayMs, toWaitMs } from '../policy.ts';

/** Returns seconds, rounded to the microsecond so that floating-point noise does not show. */
export const toSeconds = (ms: number) => Math.round(ms * 1_000) / 1_000_000;

/** Returns the longest wait that jitter can make of the wait after `attempt`, in milliseconds; 0 after the last attempt. */
export function toLongestWaitMs(policy: Policy, attempt: number): number {
  const waitMs = toWaitMs(policy, attempt) ?? 0;
  if (policy.jitter === 0) return waitMs;
  return Math.max(waitMs, toRetryDelayMs(policy, attempt, { jitter: policy.jitter, random: () => 1 }) ?? 0);
}
