import { type Policy, retryableFailureTypes, toRetryDelayMs, toWaitMs } from '../policy.ts';
import { toSeconds } from './policy-words.ts';

/** An upstream's restart or rolling deploy: some 30 s to drain the old process, some 30 s until the new one is ready. */
const commonOutageMs = 60_000;
/** To bear an outage by more attempts than these would be to hammer an upstream that is down: longer waits do it better. */
const mostAttemptsSuggested = 20;
/** The bounds of SHUTDOWN_GRACE and HEARTBEAT_TIMEOUT, which the configuration knows and the policy does not. */
const longestGraceMs = 3_600_000;
const shortestHeartbeatMs = 1_000;

export type LintSubject = { policy: Policy; shutdownGraceMs: number };
type Finding = { message: string; set: Record<string, number | string> };
type Rule = (subject: LintSubject) => Finding | undefined;

/** Compared to the microsecond, so that floating point decides nothing. */
const isBelow = (ms: number, otherMs: number) => toSeconds(ms) < toSeconds(otherMs);

/** What the last attempt but one is followed by: waits never shrink. */
function toLongestWaitMs({ jitter, ...backoff }: Policy): number {
  const attempt = backoff.maximumAttempts - 1;
  const jitteredMs = jitter > 0 ? toRetryDelayMs(backoff, attempt, { jitter, random: () => 1 }) : 0;
  return Math.max(toWaitMs(backoff, attempt) ?? 0, jitteredMs ?? 0);
}

/** How long an outage lasts at most that the policy bears when each attempt fails at once. */
function toOutageMs(policy: Policy): number {
  let outageMs = 0;
  for (let attempt = 1; attempt < policy.maximumAttempts; attempt += 1) outageMs += toWaitMs(policy, attempt) ?? 0;
  return outageMs;
}

/** The settings with which waits begin late or go on long enough for a common outage. */
function toOutageSettings(policy: Policy): Finding['set'] {
  for (let attempts = policy.maximumAttempts; attempts <= mostAttemptsSuggested; attempts += 1)
    if (!isBelow(toOutageMs({ ...policy, maximumAttempts: attempts }), commonOutageMs))
      return { MAX_ATTEMPTS: attempts };
  const baseMs = Math.ceil(commonOutageMs / (policy.maximumAttempts - 1));
  const base = toSeconds(baseMs);
  return { BASE_DELAY: base, ...(isBelow(policy.maximumIntervalMs, baseMs) && { MAX_DELAY: base }) };
}

/** The failure types of attempts that ran out of time, and what they end. */
const timeouts: Record<string, string> = {
  UpstreamTimeout: 'a call that hangs',
  'TemporalTimeout:StartToClose': 'an attempt beyond JOB_TIMEOUT',
  'TemporalTimeout:Heartbeat': 'the death of a worker',
};

const rules = {
  'single-attempt': ({ policy }) =>
    policy.maximumAttempts === 1
      ? { message: 'MAX_ATTEMPTS is 1: nothing is ever retried', set: { MAX_ATTEMPTS: 5 } }
      : undefined,

  'retries-timeouts-off': ({ policy: { nonRetryableErrorTypes: final } }) => {
    const named = final.filter((type) => type in timeouts);
    if (named.length === 0) return undefined;
    if (retryableFailureTypes.every((type) => final.includes(type)))
      return {
        message: 'NON_RETRYABLE_ERRORS has every failure type that is retried: the upstream gets one call a task',
        set: { NON_RETRYABLE_ERRORS: '' },
      };
    return {
      message: `NON_RETRYABLE_ERRORS has ${named.join(', ')}: ${named.map((type) => timeouts[type]).join(', or ')}, ends the task at once`,
      set: { NON_RETRYABLE_ERRORS: final.filter((type) => !(type in timeouts)).join(',') },
    };
  },

  'short-outage': ({ policy }) => {
    const outageMs = toOutageMs(policy);
    if (policy.maximumAttempts === 1 || !isBelow(outageMs, commonOutageMs)) return undefined;
    const [attempts, outage] = [policy.maximumAttempts, toSeconds(outageMs)];
    return {
      message: `the last of ${attempts} attempts starts ${outage} s after the first, before an upstream's restart or deploy is over (${toSeconds(commonOutageMs)} s are common)`,
      set: toOutageSettings(policy),
    };
  },

  'constant-backoff': ({ policy }) =>
    policy.backoffCoefficient === 1 && policy.maximumAttempts > 2
      ? {
          message: `BACKOFF_COEFFICIENT is 1: each of ${policy.maximumAttempts - 1} waits is ${toSeconds(policy.initialIntervalMs)} s, and an upstream in trouble gets no more rest from one to the next`,
          set: { BACKOFF_COEFFICIENT: 2 },
        }
      : undefined,

  'no-jitter': ({ policy }) =>
    policy.jitter === 0 && policy.maximumAttempts > 1
      ? {
          message: `JITTER is 0: tasks that fail together call the upstream together again, up to ${policy.maximumAttempts - 1} times`,
          set: { JITTER: 0.5 },
        }
      : undefined,

  'cap-unreachable': ({ policy }) => {
    const longestMs = toLongestWaitMs(policy);
    if (policy.maximumAttempts === 1 || !isBelow(longestMs, policy.maximumIntervalMs)) return undefined;
    return {
      message: `MAX_DELAY is ${toSeconds(policy.maximumIntervalMs)} s, but the longest wait of ${policy.maximumAttempts} attempts is ${toSeconds(longestMs)} s: only a Retry-After can reach it`,
      set: { MAX_DELAY: toSeconds(longestMs) },
    };
  },

  'heartbeat-slow': ({ policy: { heartbeatTimeoutMs, startToCloseTimeoutMs } }) => {
    const thirdMs = startToCloseTimeoutMs / 3;
    if (isBelow(heartbeatTimeoutMs, thirdMs)) return undefined;
    const heartbeat = Math.min(10, Math.max(1, Math.floor(toSeconds(startToCloseTimeoutMs) / 4)));
    // Also where HEARTBEAT_TIMEOUT is unset and therefore a third: from 31 s on it is 10.
    const set: Finding['set'] = isBelow(shortestHeartbeatMs, thirdMs)
      ? { HEARTBEAT_TIMEOUT: heartbeat }
      : { JOB_TIMEOUT: 31 };
    return {
      message: `the heartbeat timeout of ${toSeconds(heartbeatTimeoutMs)} s is a third or more of JOB_TIMEOUT (${toSeconds(startToCloseTimeoutMs)} s): a dead worker is noticed hardly sooner than a hung call`,
      set,
    };
  },

  'grace-below-job-timeout': ({ policy: { startToCloseTimeoutMs, heartbeatTimeoutMs }, shutdownGraceMs }) => {
    if (!isBelow(shutdownGraceMs, startToCloseTimeoutMs)) return undefined;
    const longest = toSeconds(longestGraceMs);
    return {
      message: `SHUTDOWN_GRACE is ${toSeconds(shutdownGraceMs)} s, JOB_TIMEOUT ${toSeconds(startToCloseTimeoutMs)} s: a deploy may cut off attempts that would still have ended well`,
      set: isBelow(longestGraceMs, startToCloseTimeoutMs)
        ? {
            SHUTDOWN_GRACE: longest,
            JOB_TIMEOUT: longest,
            ...(!isBelow(heartbeatTimeoutMs, longestGraceMs) && { HEARTBEAT_TIMEOUT: 10 }),
          }
        : { SHUTDOWN_GRACE: toSeconds(startToCloseTimeoutMs) },
    };
  },
} satisfies Record<string, Rule>;

export type WarningCode = keyof typeof rules;
export const warningCodes = Object.keys(rules) as [WarningCode, ...WarningCode[]];

export type Warning = { code: WarningCode; message: string; suggestion: string };

/**
 * What is allowed and yet rarely meant. Each suggestion names the variables and values with which its warning is gone; values
 * are in seconds, as in the environment.
 */
export function lintPolicy(subject: LintSubject): Warning[] {
  return warningCodes.flatMap((code) => {
    const finding = rules[code](subject);
    if (!finding) return [];
    const settings = Object.entries(finding.set).map(([variable, value]) => `${variable}=${value}`);
    return [{ code, message: finding.message, suggestion: `Set ${settings.join(' ')}` }];
  });
}
