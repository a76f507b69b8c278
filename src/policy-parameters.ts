type PolicyParameter = {
  /** The field of `Policy` that the parameter sets. In `Policy`, durations are in milliseconds. */
  field: string;
  /** The unit of the bounds and of the default. The unit `attempts` allows only whole numbers. */
  unit: 'attempts' | 'seconds' | 'ratio';
  minimum: number;
  maximum: number;
  default: number;
};

/**
 * The numbers of a retry policy, by their names in the API. On the command line, `maxAttempts` is `--max-attempts`. The
 * schema, the configuration, the planner, `npm run plan` and the OpenAPI document derive from this table.
 */
export const policyParameters = {
  maxAttempts: { field: 'maximumAttempts', unit: 'attempts', minimum: 1, maximum: 10_000, default: 5 },
  baseDelay: { field: 'initialIntervalMs', unit: 'seconds', minimum: 0.001, maximum: 86_400, default: 2 },
  backoffCoefficient: { field: 'backoffCoefficient', unit: 'ratio', minimum: 1, maximum: 1_000, default: 2 },
  maxDelay: { field: 'maximumIntervalMs', unit: 'seconds', minimum: 0.001, maximum: 86_400, default: 300 },
  jitter: { field: 'jitter', unit: 'ratio', minimum: 0, maximum: 1, default: 0 },
  jobTimeout: { field: 'startToCloseTimeoutMs', unit: 'seconds', minimum: 0.1, maximum: 86_400, default: 300 },
  heartbeatTimeout: { field: 'heartbeatTimeoutMs', unit: 'seconds', minimum: 1, maximum: 86_400, default: 10 },
} as const satisfies Record<string, PolicyParameter>;

export type PolicyParameterName = keyof typeof policyParameters;
export const policyParameterNames = Object.keys(policyParameters) as PolicyParameterName[];

/** What each parameter means, for `npm run plan -- --help` and the OpenAPI document. */
export const policyMeanings: Record<PolicyParameterName, string> = {
  maxAttempts: 'attempts in all, including the first',
  baseDelay: 'seconds before the second attempt',
  backoffCoefficient: 'each wait is this many times as long as the one before it',
  maxDelay: 'the longest wait between two attempts, in seconds',
  jitter: 'each wait is lengthened at random by up to this share of itself',
  jobTimeout: 'seconds that one attempt may take',
  heartbeatTimeout:
    'seconds without a heartbeat after which an attempt counts as stalled; the default is 10, or a third of the job timeout if that is less',
};

/** Returns the environment variable of a parameter: `MAX_ATTEMPTS` for `maxAttempts`. */
export const toVariable = (name: PolicyParameterName) => name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();

/** Returns the factor from a parameter to its field: 1,000 for durations (seconds to milliseconds), otherwise 1. */
export const toFieldFactor = (name: PolicyParameterName) => (policyParameters[name].unit === 'seconds' ? 1_000 : 1);

/** Returns the parameter that sets this field of `Policy`, or undefined if there is none. */
export const toParameterName = (field: unknown) =>
  policyParameterNames.find((name) => policyParameters[name].field === field);

/** Converts parameters to fields of `Policy`, with durations in milliseconds. Skips undefined parameters. */
export const toPolicyFields = (values: Partial<Record<PolicyParameterName, number>>): Record<string, number> =>
  Object.fromEntries(
    policyParameterNames.flatMap((name) => {
      const value = values[name];
      return value === undefined ? [] : [[policyParameters[name].field, value * toFieldFactor(name)]];
    }),
  );
