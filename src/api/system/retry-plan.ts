import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { Config } from '../../config/config.ts';
import { toNumber } from '../../config/settings.ts';
import { overridePolicy } from '../../planner/override-policy.ts';
import { lintPolicy, warningCodes } from '../../planner/policy-lint.ts';
import { attemptsListed, toRetryPlan } from '../../planner/retry-plan.ts';
import { failureTypes } from '../../policy.ts';
import {
  type PolicyParameterName,
  policyMeanings,
  policyParameterNames,
  policyParameters,
} from '../../policy-parameters.ts';
import type { ApiEnvironment } from '../http/auth.ts';
import { toBody, toResponses } from '../problems/openapi.ts';
import { toValidationProblem } from '../problems/problem.ts';

const seconds = z.number().min(0);
const mapParameters = <T>(map: (name: PolicyParameterName) => T) =>
  Object.fromEntries(policyParameterNames.map((name) => [name, map(name)])) as Record<PolicyParameterName, T>;

const maximumFailures = policyParameters.maxAttempts.maximum;
const failuresFault = `must be a whole number from 0 to ${maximumFailures}`;

const planQuery = z.strictObject({
  failures: z
    .string()
    .regex(/^\d{1,5}$/, failuresFault)
    .transform(Number)
    .refine((value) => value <= maximumFailures, failuresFault)
    .optional()
    .openapi({ type: 'integer', minimum: 0, maximum: maximumFailures })
    .describe('The number of attempts that fail before one succeeds. By default all fail'),
  ...mapParameters((name) => {
    const { unit, minimum, maximum } = policyParameters[name];
    // `overridePolicy` checks the bounds, together with the rules between two parameters.
    return z
      .string()
      .transform(toNumber)
      .optional()
      .openapi({ type: unit === 'attempts' ? 'integer' : 'number', minimum, maximum })
      .describe(`Replaces the server's own value: ${policyMeanings[name]}`);
  }),
});

const attemptSchema = z.strictObject({
  attempt: z.int().min(1),
  startSeconds: seconds.describe('Earliest start, counted from the submission'),
  latestStartSeconds: seconds.describe('Latest start; later than the earliest only with jitter'),
  outcome: z.enum(['fails', 'succeeds']),
  waitSeconds: seconds.nullable().describe('Shortest wait until the next attempt; null after the last one'),
  longestWaitSeconds: seconds.nullable().describe('Longest wait; longer than the shortest only with jitter'),
  capBinds: z.boolean().describe('Whether the longest wait is `maxDelay`'),
});

const retryPlanSchema = z
  .strictObject({
    policy: z
      .strictObject({
        ...mapParameters((name) => z.number().describe(policyMeanings[name])),
        nonRetryableErrors: z.array(z.enum(failureTypes)),
      })
      .describe('Named after the environment variables; durations in seconds'),
    attempts: z.array(attemptSchema).max(attemptsListed).describe(`At most the first ${attemptsListed}`),
    attemptsNotListed: z.int().min(0).describe('Attempts beyond those listed; all sums include them'),
    end: z.strictObject({
      status: z.enum(['completed', 'failed']),
      reason: z.literal('attempts-exhausted').optional(),
      attempt: z.int().min(1),
      afterSeconds: seconds,
      latestAfterSeconds: seconds,
    }),
    survivedOutageSeconds: seconds.describe(
      'Time from the first attempt to the start of the last one, if each attempt fails at once',
    ),
    worstWallTimeSeconds: seconds.describe(
      'Time until the end, if every attempt takes the whole job timeout and every wait is the longest; a Retry-After may ' +
        'lengthen waits further, up to `maxDelay`',
    ),
    deadWorkerRetry: z
      .strictObject({ firstAttemptSeconds: seconds, worstSeconds: seconds })
      .nullable()
      .describe('Heartbeat timeout plus wait, if the worker dies during the first attempt or before the longest wait'),
    herd: z
      .strictObject({
        tasks: z.int(),
        totalCalls: z.int(),
        attemptsPlayed: z
          .int()
          .max(attemptsListed)
          .describe('Attempts of each task that are simulated to compute the peaks; the busiest second is early'),
        peakRetriesPerSecond: z
          .strictObject({ policy: z.int(), withoutJitter: z.int(), withFullJitter: z.int() })
          .describe('The most retries in any one second; first attempts do not count, because they all start together'),
      })
      .describe('Tasks that are submitted together and always fail; every plan uses the same random numbers'),
    warnings: z.array(
      z
        .strictObject({ code: z.enum(warningCodes), message: z.string(), suggestion: z.string() })
        .openapi('PolicyWarning'),
    ),
  })
  .openapi('RetryPlan');

const route = createRoute({
  method: 'get',
  path: '/retry-plan',
  operationId: 'planRetries',
  tags: ['Policy'],
  summary: 'The timeline of a failing task, and warnings about the policy',
  description:
    "Starts nothing. Without parameters, the plan is that of the server's own policy; each parameter replaces one value.",
  request: { query: planQuery },
  responses: { 200: toBody(retryPlanSchema, 'The plan'), ...toResponses('unauthorized') },
});

/** Creates `GET /retry-plan`. It plans with the server's own policy, except for values that the query replaces. */
export function createRetryPlanRoute({ policy: own, shutdownGraceMs }: Pick<Config, 'policy' | 'shutdownGraceMs'>) {
  return new OpenAPIHono<ApiEnvironment>().openapi(route, (c) => {
    const { failures, ...overrides } = c.req.valid('query');
    const outcome = overridePolicy(own, overrides);
    if ('faults' in outcome) {
      const issues = outcome.faults.map(({ parameter, message }) => ({
        code: 'custom' as const,
        path: [parameter],
        message,
        input: undefined,
      }));
      throw toValidationProblem('bad-request', new z.ZodError(issues));
    }
    const { policy } = outcome;
    const warnings = lintPolicy({ policy, shutdownGraceMs });
    return c.json({ ...toRetryPlan(policy, { failures }), warnings }, 200);
  });
}
