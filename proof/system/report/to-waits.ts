import { type Policy, toRetryDelayMs, toWaitMs } from '../../../src/policy.ts';
import { retries } from '../checks/retries.ts';
import type { FinishedTask } from '../result.ts';
import { toSample } from './bins.ts';
import { toMeasuredWaits } from './to-timeline.ts';

/** The policy's curve covers this many attempts, or more if a task waited after a later attempt. */
const usualAttempts = 12;

/** Returns the measured waits of the tasks that ran under `policy`, and the waits that the policy prescribes. */
export function toWaits(tasks: FinishedTask[], policy: Policy) {
  const measured = tasks
    .filter(({ check }) => check === retries.title)
    .flatMap(({ id, attempts }) =>
      toMeasuredWaits(attempts).flatMap((waitMs, index) =>
        waitMs === null ? [] : [{ id, attempt: attempts[index]?.attempt ?? 0, waitMs }],
      ),
    );
  const last = measured.reduce((max, { attempt }) => Math.max(max, attempt), usualAttempts);
  const curve = Array.from({ length: last }, (_, index) => index + 1).flatMap((attempt) => {
    const waitMs = toWaitMs(policy, attempt);
    const longestMs = toRetryDelayMs(policy, attempt, { jitter: policy.jitter, random: () => 1 });
    return waitMs === null || longestMs === null ? [] : [{ attempt, waitMs, longestMs }];
  });
  return {
    check: retries.title,
    capMs: policy.maximumIntervalMs,
    jitter: policy.jitter,
    total: measured.length,
    measured: toSample(measured),
    curve,
  };
}
