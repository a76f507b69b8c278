type PolicyParameter = {
  /** The environment variable. */
  variable: string;
  /** The field of `Policy`. Durations are in milliseconds there. */
  field: string;
  /** The unit of the bounds and of the default. `attempts` is a whole number. */
  unit: 'attempts' | 'seconds' | 'ratio';
  minimum: number;
  maximum: number;
  default: number;
  meaning: string;
};

/**
 * The numbers of a retry policy, by their names in the API (`maxAttempts`; on the command line `--max-attempts`).
 * The schema, the configuration, the planner, `npm run plan` and the OpenAPI document derive from this table.
 */
export const policyParameters = {
  maxAttempts: {
    variable: 'MAX_ATTEMPTS',
    field: 'maximumAttempts',
    unit: 'attempts',
    minimum: 1,
    maximum: 10_000,
    default: 5,
    meaning: 'attempts in all, including the first',
  },
  baseDelay: {
    variable: 'BASE_DELAY',
    field: 'initialIntervalMs',
    unit: 'seconds',
    minimum: 0.001,
    maximum: 86_400,
    default: 2,
    meaning: 'seconds before the second attempt',
  },
  backoffCoefficient: {
    variable: 'BACKOFF_COEFFICIENT',
    field: 'backoffCoefficient',
    unit: 'ratio',
    minimum: 1,
    maximum: 1_000,
    default: 2,
    meaning: 'each wait is this many times as long as the one before it',
  },
  maxDelay: {
    variable: 'MAX_DELAY',
    field: 'maximumIntervalMs',
    unit: 'seconds',
    minimum: 0.001,
    maximum: 86_400,
    default: 300,
    meaning: 'the longest wait between two attempts, in seconds',
  },
  jitter: {
    variable: 'JITTER',
    field: 'jitter',
    unit: 'ratio',
    minimum: 0,
    maximum: 1,
    default: 0,
    meaning: 'each wait is lengthened at random by up to this share of itself',
  },
  jobTimeout: {
    variable: 'JOB_TIMEOUT',
    field: 'startToCloseTimeoutMs',
    unit: 'seconds',
    minimum: 0.1,
    maximum: 86_400,
    default: 300,
    meaning: 'seconds that one attempt may take',
  },
  heartbeatTimeout: {
    variable: 'HEARTBEAT_TIMEOUT',
    field: 'heartbeatTimeoutMs',
    unit: 'seconds',
    minimum: 1,
    maximum: 86_400,
    default: 10,
    meaning:
      'seconds without a heartbeat after which an attempt counts as stalled; the default is a third of the job timeout if that is less',
  },
} as const satisfies Record<string, PolicyParameter>;

export type PolicyParameterName = keyof typeof policyParameters;
export const policyParameterNames = Object.keys(policyParameters) as PolicyParameterName[];

/** Returns the factor from a parameter to its field: 1,000 for durations (seconds to milliseconds), otherwise 1. */
export const toFieldFactor = (name: PolicyParameterName) => (policyParameters[name].unit === 'seconds' ? 1_000 : 1);

/** Converts parameters to fields of `Policy`, with durations in milliseconds. Skips undefined parameters. */
export const toPolicyFields = (values: Partial<Record<PolicyParameterName, number>>): Record<string, number> =>
  Object.fromEntries(
    policyParameterNames.flatMap((name) => {
      const value = values[name];
      return value === undefined ? [] : [[policyParameters[name].field, value * toFieldFactor(name)]];
    }),
  );
