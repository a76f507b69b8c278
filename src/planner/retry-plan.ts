import { type Policy, toRetryDelayMs, toWaitMs } from '../policy.ts';
import {
  type PolicyParameterName,
  policyParameterNames,
  policyParameters,
  toFieldFactor,
} from '../policy-parameters.ts';
import { toLongestWaitMs, toSeconds } from './waits.ts';

/** The maximum number of attempts that a plan lists, and that the herd simulation plays for each task. */
export const attemptsListed = 100;
/** A herd has this many tasks, which start and fail together. */
export const herdSize = 100;
const peakWindowMs = 1_000;

type Step = { attempt: number; startMs: number; latestStartMs: number; waitMs: number | null; longestWaitMs: number };

/** Returns all attempts of a task if each fails immediately. Without jitter, `latestStartMs` equals `startMs`. */
function toSteps(policy: Policy): Step[] {
  const steps: Step[] = [];
  let [startMs, latestStartMs] = [0, 0];
  for (let attempt = 1; ; attempt += 1) {
    const waitMs = toWaitMs(policy, attempt);
    const longestWaitMs = toLongestWaitMs(policy, attempt);
    steps.push({ attempt, startMs, latestStartMs, waitMs, longestWaitMs });
    if (waitMs === null) return steps;
    startMs += waitMs;
    latestStartMs += longestWaitMs;
  }
}

/** Returns a generator of pseudorandom numbers in [0, 1) (mulberry32). Every generator yields the same numbers. */
function createRandom() {
  let state = 1;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Returns the maximum number of retries that the herd makes within one second. First attempts do not count: all tasks
 * start together, so jitter cannot spread them. Simulates only the first `attemptsListed` attempts of each task: no
 * wait is shorter than the one before it, so the busiest second is early.
 */
function toPeakRetries(policy: Policy, jitter: number): number {
  const random = createRandom();
  const retries: number[] = [];
  for (let task = 0; task < herdSize; task += 1) {
    let startMs = 0;
    for (let attempt = 1; attempt < attemptsListed; attempt += 1) {
      const waitMs = toRetryDelayMs(policy, attempt, { jitter, random });
      if (waitMs === null) break;
      startMs += waitMs;
      retries.push(startMs);
    }
  }
  retries.sort((a, b) => a - b);
  let first = 0;
  return retries.reduce((peak, startMs, index) => {
    while (startMs - (retries[first] ?? startMs) >= peakWindowMs) first += 1;
    return Math.max(peak, index - first + 1);
  }, 0);
}

const toParameters = (policy: Policy) =>
  Object.fromEntries(
    policyParameterNames.map((name) => {
      const value = policy[policyParameters[name].field];
      return [name, toFieldFactor(name) === 1 ? value : toSeconds(value)];
    }),
  ) as Record<PolicyParameterName, number>;

/**
 * Returns the timeline of a task whose first `failures` attempts fail immediately. If the policy allows another
 * attempt, that attempt succeeds. By default, all attempts fail. The plan also has the longest outage that the policy
 * survives, how long a task can take at most, and the calls of a herd of tasks. Durations are in seconds. The plan
 * ignores Retry-After, which can lengthen a wait up to `maxDelay`.
 */
export function toRetryPlan(policy: Policy, { failures = policy.maximumAttempts }: { failures?: number } = {}) {
  const all = toSteps(policy);
  const final = all.at(-1) as Step;
  const end = all[failures] ?? final;
  const longestWaitMs = Math.max(...all.map(({ waitMs }) => waitMs ?? 0));
  return {
    policy: { ...toParameters(policy), nonRetryableErrors: policy.nonRetryableErrorTypes },
    attempts: all.slice(0, Math.min(end.attempt, attemptsListed)).map((step) => {
      const outcome: 'fails' | 'succeeds' = step.attempt > failures ? 'succeeds' : 'fails';
      const waits = step !== end && step.waitMs !== null;
      return {
        attempt: step.attempt,
        startSeconds: toSeconds(step.startMs),
        latestStartSeconds: toSeconds(step.latestStartMs),
        outcome,
        waitSeconds: waits ? toSeconds(step.waitMs ?? 0) : null,
        longestWaitSeconds: waits ? toSeconds(step.longestWaitMs) : null,
        capBinds: waits && toSeconds(step.longestWaitMs) >= toSeconds(policy.maximumIntervalMs),
      };
    }),
    attemptsNotListed: Math.max(0, end.attempt - attemptsListed),
    end: {
      ...(failures < policy.maximumAttempts
        ? { status: 'completed' as const }
        : { status: 'failed' as const, reason: 'attempts-exhausted' as const }),
      attempt: end.attempt,
      afterSeconds: toSeconds(end.startMs),
      latestAfterSeconds: toSeconds(end.latestStartMs),
    },
    survivedOutageSeconds: toSeconds(final.startMs),
    worstWallTimeSeconds: toSeconds(policy.maximumAttempts * policy.startToCloseTimeoutMs + final.latestStartMs),
    deadWorkerRetry:
      all.length === 1
        ? null
        : {
            firstAttemptSeconds: toSeconds(policy.heartbeatTimeoutMs + (all[0]?.waitMs ?? 0)),
            worstSeconds: toSeconds(policy.heartbeatTimeoutMs + longestWaitMs),
          },
    herd: {
      tasks: herdSize,
      totalCalls: herdSize * policy.maximumAttempts,
      attemptsPlayed: Math.min(policy.maximumAttempts, attemptsListed),
      peakRetriesPerSecond: {
        policy: toPeakRetries(policy, policy.jitter),
        withoutJitter: toPeakRetries(policy, 0),
        withFullJitter: toPeakRetries(policy, 1),
      },
    },
  };
}

export type RetryPlan = ReturnType<typeof toRetryPlan>;
