import { z } from 'zod';
import { type PolicyParameterName, policyParameters, toFieldFactor } from './policy-parameters.ts';

/** Failure types that are retried, unless `NON_RETRYABLE_ERRORS` names them. */
export const retryableFailureTypes = [
  'UpstreamUnavailable',
  'UpstreamRateLimited',
  'UpstreamUnreachable',
  'UpstreamTimeout',
  'TruncatedResponse',
  'WorkerShutdown',
] as const;

/** Failure types that end the task at once: another attempt would fail in the same way. */
export const finalFailureTypes = [
  'UpstreamRejected',
  'UpstreamRedirected',
  'InvalidResponse',
  'ResponseTooLarge',
] as const;

/** Temporal's names for attempts that its server timed out (https://docs.temporal.io/references/failures). */
export const timeoutFailureTypes = ['TemporalTimeout:StartToClose', 'TemporalTimeout:Heartbeat'] as const;

export const failureTypes = [...retryableFailureTypes, ...finalFailureTypes, ...timeoutFailureTypes] as const;

/** What API clients see of an error that Holdfast does not know. The error's own message may contain addresses. */
export const unexpectedMessage = "An unexpected error. The worker's log has the details";

export type FailureType = (typeof retryableFailureTypes | typeof finalFailureTypes)[number];

function toNumberSchema(name: PolicyParameterName) {
  const { unit, minimum, maximum } = policyParameters[name];
  const error = `must be a number from ${minimum} to ${maximum}${unit === 'seconds' ? ' seconds' : ''}`;
  const factor = toFieldFactor(name);
  const schema = z
    .number({ error })
    .min(minimum * factor, error)
    .max(maximum * factor, error);
  return unit === 'attempts' ? schema.refine(Number.isInteger, 'must be a whole number') : schema;
}

const withDefault = (name: PolicyParameterName) =>
  toNumberSchema(name).default(policyParameters[name].default * toFieldFactor(name));

/** Lets a rule run if the `fields` that it uses are valid. By default, zod runs a rule only if all fields are valid. */
const ifValid =
  (...fields: string[]) =>
  ({ issues }: { issues: { path?: PropertyKey[] }[] }) =>
    !issues.some(({ path }) => fields.includes(String(path?.[0])));

/**
 * Returns the default heartbeat timeout in milliseconds: 10 s, or a third of the start-to-close timeout if that is
 * less. The result may be below the minimum of HEARTBEAT_TIMEOUT.
 */
export const toDefaultHeartbeatTimeoutMs = (startToCloseTimeoutMs: number) =>
  Math.min(policyParameters.heartbeatTimeout.default * 1_000, startToCloseTimeoutMs / 3);

/**
 * The schema of the retry policy, with durations in milliseconds. Rejects every value that Temporal's server would
 * reject. The server checks a policy only when an activity is scheduled. A bad policy then makes the workflow hang.
 */
export const policySchema = z
  .strictObject({
    initialIntervalMs: withDefault('baseDelay'),
    backoffCoefficient: withDefault('backoffCoefficient'),
    maximumIntervalMs: withDefault('maxDelay'),
    maximumAttempts: withDefault('maxAttempts'),
    jitter: withDefault('jitter'),
    nonRetryableErrorTypes: z
      .array(z.enum(failureTypes, { error: `must be failure types out of ${failureTypes.join(', ')}` }))
      .default([]),
    startToCloseTimeoutMs: withDefault('jobTimeout'),
    heartbeatTimeoutMs: toNumberSchema('heartbeatTimeout').optional(),
  })
  .refine((policy) => policy.maximumIntervalMs >= policy.initialIntervalMs, {
    path: ['maximumIntervalMs'],
    message: 'must not be below the initial interval (BASE_DELAY)',
    when: ifValid('initialIntervalMs', 'maximumIntervalMs'),
  })
  .refine((policy) => (policy.heartbeatTimeoutMs ?? 0) < policy.startToCloseTimeoutMs, {
    path: ['heartbeatTimeoutMs'],
    message: 'must be below the start-to-close timeout (JOB_TIMEOUT)',
    when: ifValid('heartbeatTimeoutMs', 'startToCloseTimeoutMs'),
  })
  .transform((policy) => ({
    ...policy,
    heartbeatTimeoutMs: policy.heartbeatTimeoutMs ?? toDefaultHeartbeatTimeoutMs(policy.startToCloseTimeoutMs),
  }));

export type Policy = z.output<typeof policySchema>;

type Backoff = Pick<Policy, 'initialIntervalMs' | 'backoffCoefficient' | 'maximumIntervalMs' | 'maximumAttempts'>;

/**
 * Returns the milliseconds to wait after failed attempt `attempt` (1 is the first), or null after the last attempt.
 * The wait is `initialInterval * coefficient ^ (attempt - 1)`, capped at the maximum interval: 2 s, 4 s, 8 s, 16 s by
 * default. Temporal uses the same formula (https://docs.temporal.io/encyclopedia/retry-policies). If the power
 * overflows to infinity, the cap applies too.
 */
export function toWaitMs(backoff: Backoff, attempt: number): number | null {
  if (attempt >= backoff.maximumAttempts) return null;
  const wait = backoff.initialIntervalMs * backoff.backoffCoefficient ** (attempt - 1);
  return Math.min(wait, backoff.maximumIntervalMs);
}

/**
 * Returns the whole milliseconds to wait after failed attempt `attempt`, or null after the last attempt. Includes
 * jitter and the upstream's Retry-After. The wait is at least 1 ms, because a delay of 0 would end the retries. The
 * wait is `max(wait of the policy, Retry-After) * (1 + jitter * random())`, capped at the maximum interval. `random`
 * returns numbers in [0, 1). Pass a seeded `random` to get the same waits again.
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
 * Returns the attempt's own deadline in whole milliseconds, because timers need whole numbers. The deadline is 50 to
 * 500 ms before the start-to-close timeout: a call that hangs must end on the worker before the server gives up the
 * attempt. Otherwise two attempts could overlap.
 */
export function toDeadlineMs(startToCloseTimeoutMs: number): number {
  return Math.floor(startToCloseTimeoutMs - Math.min(500, Math.max(50, startToCloseTimeoutMs * 0.1)));
}

/** Converts the policy to Temporal's ActivityOptions, as plain data, because each workflow gets them in its input. */
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
