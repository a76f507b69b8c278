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
    .describe('The number of attempts that fail before one succeeds. By default, all attempts fail'),
  ...mapParameters((name) => {
    const { unit, minimum, maximum } = policyParameters[name];
    // `overridePolicy` checks the bounds of each parameter, and the rules that concern two parameters.
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
  startSeconds: seconds.describe('The earliest start of the attempt, counted from the submission'),
  latestStartSeconds: seconds.describe('The latest start. Without jitter, it equals the earliest start'),
  outcome: z.enum(['fails', 'succeeds']),
  waitSeconds: seconds.nullable().describe('The shortest wait until the next attempt, or null after the last attempt'),
  longestWaitSeconds: seconds.nullable().describe('The longest wait. Without jitter, it equals the shortest wait'),
  capBinds: z.boolean().describe('Whether the longest wait is `maxDelay`'),
});

const retryPlanSchema = z
  .strictObject({
    policy: z
      .strictObject({
        ...mapParameters((name) => z.number().describe(policyMeanings[name])),
        nonRetryableErrors: z.array(z.enum(failureTypes)),
      })
      .describe('Named after the environment variables (`maxDelay`: MAX_DELAY). Durations are in seconds'),
    attempts: z.array(attemptSchema).max(attemptsListed).describe(`The first attempts, at most ${attemptsListed}`),
    attemptsNotListed: z.int().min(0).describe('The number of attempts that are not listed. All totals include them'),
    end: z.strictObject({
      status: z.enum(['completed', 'failed']),
      reason: z.literal('attempts-exhausted').optional(),
      attempt: z.int().min(1),
      afterSeconds: seconds,
      latestAfterSeconds: seconds,
    }),
    survivedOutageSeconds: seconds.describe(
      'Time from the first attempt to the start of the last attempt, if each attempt fails at once',
    ),
    worstWallTimeSeconds: seconds.describe(
      'Time until the end, if every attempt takes the whole job timeout and every wait is its `longestWaitSeconds`. ' +
        'A Retry-After of the upstream may lengthen waits further, up to `maxDelay`',
    ),
    deadWorkerRetry: z
      .strictObject({ firstAttemptSeconds: seconds, worstSeconds: seconds })
      .nullable()
      .describe(
        'The heartbeat timeout plus the wait until the next attempt, if the worker dies during the first attempt or ' +
          'during the attempt before the longest wait. Null if there is only one attempt',
      ),
    herd: z
      .strictObject({
        tasks: z.int(),
        totalCalls: z.int(),
        attemptsPlayed: z
          .int()
          .max(attemptsListed)
          .describe('Attempts of each task in the simulation. Waits never get shorter, so the busiest second is early'),
        peakRetriesPerSecond: z
          .strictObject({ policy: z.int(), withoutJitter: z.int(), withFullJitter: z.int() })
          .describe('The most retries in any one second. First attempts do not count, because they all start together'),
      })
      .describe('Tasks that are submitted together and always fail. Every plan uses the same random numbers'),
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
    "Starts nothing. The plan is that of the server's own policy. Each parameter replaces one value of this policy.",
  request: { query: planQuery },
  responses: { 200: toBody(retryPlanSchema, 'The plan'), ...toResponses('unauthorized') },
});

/** Creates `GET /retry-plan`. The plan is for the server's own policy, except for values that the query replaces. */
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
