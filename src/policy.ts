import { z } from 'zod';

/** Failure types that another attempt may mend. */
export const retryableFailureTypes = [
  'UpstreamUnavailable',
  'UpstreamRateLimited',
  'UpstreamUnreachable',
  'UpstreamTimeout',
  'TruncatedResponse',
  'WorkerShutdown',
] as const;

/** Failure types that no repetition mends: they end the task at once. */
export const finalFailureTypes = [
  'UpstreamRejected',
  'UpstreamRedirected',
  'InvalidResponse',
  'ResponseTooLarge',
] as const;

/** Temporal's own names for an attempt that the server timed out (https://docs.temporal.io/references/failures). */
export const timeoutFailureTypes = ['TemporalTimeout:StartToClose', 'TemporalTimeout:Heartbeat'] as const;

export const failureTypes = [...retryableFailureTypes, ...finalFailureTypes, ...timeoutFailureTypes] as const;

export type FailureType = (typeof retryableFailureTypes | typeof finalFailureTypes)[number];

const maximumSeconds = 86_400;
const between = (min: number, max: number, unit = '') => ({ error: `must be a number from ${min} to ${max}${unit}` });

function durationMs(minSeconds: number) {
  const fault = between(minSeconds, maximumSeconds, ' seconds');
  return z
    .number(fault)
    .min(minSeconds * 1_000, fault)
    .max(maximumSeconds * 1_000, fault);
}

function ratio(min: number, max: number) {
  const fault = between(min, max);
  return z.number(fault).min(min, fault).max(max, fault);
}

/** Lets a rule between two fields speak whenever those two are sound, whatever else is wrong: all faults come at once. */
const unlessFaulty =
  (...fields: string[]) =>
  ({ issues }: { issues: { path?: PropertyKey[] }[] }) =>
    !issues.some(({ path }) => fields.includes(String(path?.[0])));

/**
 * The one backoff config. Durations in milliseconds. Refuses what a Temporal server would refuse only when the
 * activity is scheduled, which would leave the workflow hanging.
 */
export const policySchema = z
  .strictObject({
    initialIntervalMs: durationMs(0.001).default(2_000),
    backoffCoefficient: ratio(1, 1_000).default(2),
    maximumIntervalMs: durationMs(0.001).default(300_000),
    maximumAttempts: ratio(1, 10_000).refine(Number.isInteger, 'must be a whole number').default(5),
    jitter: ratio(0, 1).default(0),
    nonRetryableErrorTypes: z
      .array(z.enum(failureTypes, { error: `must be failure types out of ${failureTypes.join(', ')}` }))
      .default([]),
    startToCloseTimeoutMs: durationMs(0.1).default(300_000),
    heartbeatTimeoutMs: durationMs(0.05).optional(),
  })
  .refine((policy) => policy.maximumIntervalMs >= policy.initialIntervalMs, {
    path: ['maximumIntervalMs'],
    message: 'must not be below the initial interval (BASE_DELAY)',
    when: unlessFaulty('initialIntervalMs', 'maximumIntervalMs'),
  })
  .refine((policy) => (policy.heartbeatTimeoutMs ?? 0) < policy.startToCloseTimeoutMs, {
    path: ['heartbeatTimeoutMs'],
    message: 'must be below the start-to-close timeout (JOB_TIMEOUT)',
    when: unlessFaulty('heartbeatTimeoutMs', 'startToCloseTimeoutMs'),
  })
  .transform((policy) => ({
    ...policy,
    heartbeatTimeoutMs: policy.heartbeatTimeoutMs ?? Math.min(10_000, policy.startToCloseTimeoutMs / 3),
  }));

export type Policy = z.output<typeof policySchema>;

type Backoff = Pick<Policy, 'initialIntervalMs' | 'backoffCoefficient' | 'maximumIntervalMs' | 'maximumAttempts'>;

/**
 * The wait after failed attempt `attempt` (1 = the first), in milliseconds:
 * min(initial · coefficient^(attempt−1), maximum). Null when that attempt was the last.
 * The same formula as Temporal's (https://docs.temporal.io/encyclopedia/retry-policies); no overflow: ∞ meets the cap.
 */
export function toWaitMs(backoff: Backoff, attempt: number): number | null {
  if (attempt >= backoff.maximumAttempts) return null;
  const wait = backoff.initialIntervalMs * backoff.backoffCoefficient ** (attempt - 1);
  return Math.min(wait, backoff.maximumIntervalMs);
}

/**
 * The wait after failed attempt `attempt` when the upstream or jitter has a say, in whole milliseconds, never below 1
 * (0 would end the retries): min(maximum, max(policy's wait, Retry-After) · (1 + jitter · random)).
 * Null when that attempt was the last. `random` gives numbers in [0, 1): pass a seeded one to repeat a sequence.
 */
export function toRetryDelayMs(
  backoff: Backoff,
  attempt: number,
  { retryAfterMs = 0, jitter = 0, random = Math.random } = {},
): number | null {
  const wait = toWaitMs(backoff, attempt);
  if (wait === null) return null;
  const lengthened = Math.max(wait, retryAfterMs) * (1 + jitter * random());
  return Math.max(1, Math.round(Math.min(lengthened, backoff.maximumIntervalMs)));
}

/**
 * The attempt's own deadline, in whole milliseconds (timers take no others), just below start-to-close: a hung call must
 * end on the worker before the server gives the attempt up, or attempt n+1 would run beside it.
 */
export function toDeadlineMs(startToCloseTimeoutMs: number): number {
  return Math.floor(startToCloseTimeoutMs - Math.min(500, Math.max(50, startToCloseTimeoutMs * 0.1)));
}

/** The policy as Temporal's ActivityOptions: plain data that travels as workflow input and stands in the history. */
export function toActivityOptions(policy: Policy) {
  return {
    startToCloseTimeout: policy.startToCloseTimeoutMs,
    heartbeatTimeout: policy.heartbeatTimeoutMs,
    retry: {
      initialInterval: policy.initialIntervalMs,
      backoffCoefficient: policy.backoffCoefficient,
      maximumInterval: policy.maximumIntervalMs,
      maximumAttempts: policy.maximumAttempts,
      nonRetryableErrorTypes: [...new Set([...finalFailureTypes, ...policy.nonRetryableErrorTypes])],
    },
  };
}

export type TaskActivityOptions = ReturnType<typeof toActivityOptions>;
