import { maximumShutdownGraceSeconds } from '../config/settings.ts';
import { type Policy, retryableFailureTypes, toWaitMs } from '../policy.ts';
import { policyParameters } from '../policy-parameters.ts';
import { toLongestWaitMs, toSeconds } from './waits.ts';

/** A restart or deploy of an upstream takes about 30 s to drain the old process and 30 s to start the new process. */
const commonOutageMs = 60_000;
/** If an outage needs more attempts than this, longer waits are suggested. More attempts would hammer the upstream. */
const mostAttemptsSuggested = 20;

export type LintSubject = { policy: Policy; shutdownGraceMs: number };
type Finding = { message: string; set: Record<string, number | string> };
type Rule = (subject: LintSubject) => Finding | false | undefined;

/** Compares times rounded to microseconds, so floating-point errors do not change the result. */
const isBelow = (ms: number, otherMs: number) => toSeconds(ms) < toSeconds(otherMs);

/** Returns the milliseconds from the first to the last attempt if every attempt fails immediately. */
function toOutageMs(policy: Policy): number {
  let outageMs = 0;
  for (let attempt = 1; attempt < policy.maximumAttempts; attempt += 1) outageMs += toWaitMs(policy, attempt) ?? 0;
  return outageMs;
}

/** Returns settings with which the attempts outlast a common outage: more attempts, or longer waits. */
function toOutageSettings(policy: Policy): Finding['set'] {
  for (let attempts = policy.maximumAttempts; attempts <= mostAttemptsSuggested; attempts += 1)
    if (!isBelow(toOutageMs({ ...policy, maximumAttempts: attempts }), commonOutageMs))
      return { MAX_ATTEMPTS: attempts };
  const baseMs = Math.ceil(commonOutageMs / (policy.maximumAttempts - 1));
  const base = toSeconds(baseMs);
  return { BASE_DELAY: base, ...(isBelow(policy.maximumIntervalMs, baseMs) && { MAX_DELAY: base }) };
}

/** The failure types of attempts that ran out of time, and the event that each reports. */
const timeouts: Record<string, string> = {
  UpstreamTimeout: 'a call that hangs',
  'TemporalTimeout:StartToClose': 'an attempt beyond JOB_TIMEOUT',
  'TemporalTimeout:Heartbeat': 'the death of a worker',
};

const rules = {
  'single-attempt': ({ policy }) =>
    policy.maximumAttempts === 1 && {
      message: 'MAX_ATTEMPTS is 1: nothing is ever retried',
      set: { MAX_ATTEMPTS: policyParameters.maxAttempts.default },
    },

  'retries-timeouts-off': ({ policy: { nonRetryableErrorTypes: final } }) => {
    const named = final.filter((type) => type in timeouts);
    if (named.length === 0) return undefined;
    if (retryableFailureTypes.every((type) => final.includes(type)))
      return {
        message: 'NON_RETRYABLE_ERRORS has every failure type that is retried: each task makes one call only',
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
    policy.backoffCoefficient === 1 &&
    policy.maximumAttempts > 2 && {
      message: `BACKOFF_COEFFICIENT is 1: each of ${policy.maximumAttempts - 1} waits is ${toSeconds(policy.initialIntervalMs)} s, so an upstream in trouble never gets a longer rest`,
      set: { BACKOFF_COEFFICIENT: policyParameters.backoffCoefficient.default },
    },

  'no-jitter': ({ policy }) =>
    policy.jitter === 0 &&
    policy.maximumAttempts > 1 && {
      message: `JITTER is 0: tasks that fail together call the upstream together again, up to ${policy.maximumAttempts - 1} times`,
      set: { JITTER: 0.5 },
    },

  'cap-unreachable': ({ policy }) => {
    // No wait is shorter than the one before it, so the last wait is the longest.
    const longestMs = toLongestWaitMs(policy, policy.maximumAttempts - 1);
    if (policy.maximumAttempts === 1 || !isBelow(longestMs, policy.maximumIntervalMs)) return undefined;
    return {
      message: `MAX_DELAY is ${toSeconds(policy.maximumIntervalMs)} s, but the longest wait of ${policy.maximumAttempts} attempts is ${toSeconds(longestMs)} s: only a Retry-After can reach it`,
      set: { MAX_DELAY: toSeconds(longestMs) },
    };
  },

  'heartbeat-slow': ({ policy: { heartbeatTimeoutMs, startToCloseTimeoutMs } }) => {
    const third = toSeconds(startToCloseTimeoutMs / 3);
    if (toSeconds(heartbeatTimeoutMs) < third) return undefined;
    const { minimum, default: usual } = policyParameters.heartbeatTimeout;
    const quarter = Math.floor(toSeconds(startToCloseTimeoutMs) / 4);
    // If even the minimum heartbeat timeout is too long, suggest a JOB_TIMEOUT whose third is above the default
    // heartbeat timeout.
    const set: Finding['set'] =
      minimum < third
        ? { HEARTBEAT_TIMEOUT: Math.min(usual, Math.max(minimum, quarter)) }
        : { JOB_TIMEOUT: usual * 3 + 1 };
    return {
      message: `the heartbeat timeout of ${toSeconds(heartbeatTimeoutMs)} s is a third or more of JOB_TIMEOUT (${toSeconds(startToCloseTimeoutMs)} s): a dead worker is noticed hardly sooner than a hung call`,
      set,
    };
  },

  'grace-below-job-timeout': ({ policy: { startToCloseTimeoutMs, heartbeatTimeoutMs }, shutdownGraceMs }) => {
    if (!isBelow(shutdownGraceMs, startToCloseTimeoutMs)) return undefined;
    const [grace, job] = [toSeconds(shutdownGraceMs), toSeconds(startToCloseTimeoutMs)];
    const longest = maximumShutdownGraceSeconds;
    const message = `SHUTDOWN_GRACE is ${grace} s, JOB_TIMEOUT ${job} s: a deploy may cut off attempts that would have succeeded`;
    if (job <= longest) return { message, set: { SHUTDOWN_GRACE: job } };
    const isTooLong = toSeconds(heartbeatTimeoutMs) >= longest;
    const set: Finding['set'] = { SHUTDOWN_GRACE: longest, JOB_TIMEOUT: longest };
    return { message, set: isTooLong ? { ...set, HEARTBEAT_TIMEOUT: policyParameters.heartbeatTimeout.default } : set };
  },
} satisfies Record<string, Rule>;

export type WarningCode = keyof typeof rules;
export const warningCodes = Object.keys(rules) as [WarningCode, ...WarningCode[]];

export type Warning = { code: WarningCode; message: string; suggestion: string };

/**
 * Returns warnings about settings that are valid but rarely intended. A warning disappears if you follow its
 * suggestion. Durations in suggestions are in seconds, as in the environment.
 */
export function lintPolicy(subject: LintSubject): Warning[] {
  return warningCodes.flatMap((code) => {
    const finding = rules[code](subject);
    if (!finding) return [];
    const settings = Object.entries(finding.set).map(([variable, value]) => `${variable}=${value}`);
    return [{ code, message: finding.message, suggestion: `Set ${settings.join(' ')}` }];
  });
}
