import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { Config } from '../../config/config.ts';
import { toNumber } from '../../config/settings.ts';
import { lintPolicy, warningCodes } from '../../planner/policy-lint.ts';
import { overridePolicy, type PolicyWord, policyWords } from '../../planner/policy-words.ts';
import { attemptsListed, toRetryPlan } from '../../planner/retry-plan.ts';
import { failureTypes } from '../../policy.ts';
import type { ApiEnvironment } from '../http/auth.ts';
import { toResponses } from '../problems/openapi.ts';
import { toValidationProblem } from '../problems/problem.ts';

const seconds = z.number().min(0);
const words = Object.keys(policyWords) as PolicyWord[];
const mapWords = <T>(map: (word: PolicyWord) => T) =>
  Object.fromEntries(words.map((word) => [word, map(word)])) as Record<PolicyWord, T>;

const mostFailures = policyWords.maxAttempts[1].max;
const wholeFailures = `must be a whole number from 0 to ${mostFailures}`;

const planQuery = z.strictObject({
  failures: z
    .string()
    .regex(/^\d{1,5}$/, wholeFailures)
    .transform(Number)
    .refine((value) => value <= mostFailures, wholeFailures)
    .optional()
    .openapi({ type: 'integer', minimum: 0, maximum: mostFailures })
    .describe('Attempts that fail before one succeeds; by default all of them do'),
  ...mapWords((word) => {
    const [, { min, max }, meaning] = policyWords[word];
    const type = word === 'maxAttempts' ? 'integer' : 'number';
    // `policySchema` knows the bounds, also those between two numbers, and says them.
    return z
      .string()
      .transform(toNumber)
      .optional()
      .openapi({ type, minimum: min, maximum: max })
      .describe(`Instead of the server's own: ${meaning}`);
  }),
});

const attemptSchema = z.strictObject({
  attempt: z.int().min(1),
  startSeconds: seconds.describe('After the submission; with jitter at the earliest'),
  latestStartSeconds: seconds,
  outcome: z.enum(['fails', 'succeeds']),
  waitSeconds: seconds.nullable().describe('Until the next attempt; with jitter at least. Null after the last one'),
  longestWaitSeconds: seconds.nullable(),
  capBinds: z.boolean().describe('Whether the wait, with jitter the longest, is `maxDelay`'),
});

const retryPlanSchema = z
  .strictObject({
    policy: z
      .strictObject({
        ...mapWords((word) => z.number().describe(policyWords[word][2])),
        nonRetryableErrors: z.array(z.enum(failureTypes)),
      })
      .describe('In the words of the environment variables, durations in seconds'),
    attempts: z.array(attemptSchema).max(attemptsListed).describe(`The first ${attemptsListed} at most`),
    attemptsNotListed: z.int().min(0).describe('How many more there are; every sum includes them'),
    end: z.strictObject({
      status: z.enum(['completed', 'failed']),
      reason: z.literal('attempts-exhausted').optional(),
      attempt: z.int().min(1),
      afterSeconds: seconds,
      latestAfterSeconds: seconds,
    }),
    survivedOutageSeconds: seconds.describe(
      'From the first attempt to the start of the last one, each failing at once',
    ),
    worstWallTimeSeconds: seconds.describe(
      'Every attempt runs into the job timeout, every wait is the longest; a Retry-After may lengthen waits further, up to `maxDelay`',
    ),
    deadWorkerRetry: z
      .strictObject({ firstAttemptSeconds: seconds, worstSeconds: seconds })
      .nullable()
      .describe('Heartbeat timeout and the wait: after the death of a worker in the first attempt, and in any'),
    herd: z
      .strictObject({
        tasks: z.int(),
        totalCalls: z.int(),
        attemptsPlayed: z
          .int()
          .max(attemptsListed)
          .describe('Of each task, for the peaks; the busiest second is early'),
        peakRetriesPerSecond: z
          .strictObject({ policy: z.int(), withoutJitter: z.int(), withFullJitter: z.int() })
          .describe('In any one second, the first calls left out: they all come at one moment'),
      })
      .describe('Tasks that are submitted together and fail every time; the same random numbers in every plan'),
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
  summary: 'The timeline that a failing task would follow, and what is odd about the policy',
  description:
    'Nothing is started. Without parameters it is the policy of this server; each parameter puts a value in place of its own.',
  request: { query: planQuery },
  responses: {
    200: { description: 'The plan', content: { 'application/json': { schema: retryPlanSchema } } },
    ...toResponses('unauthorized'),
  },
});

/** The retry planner: the server's own policy, with what the query puts in its place. */
export function createRetryPlanRoute({ policy: own, shutdownGraceMs }: Pick<Config, 'policy' | 'shutdownGraceMs'>) {
  return new OpenAPIHono<ApiEnvironment>().openapi(route, (c) => {
    const { failures, ...overrides } = c.req.valid('query');
    const outcome = overridePolicy(own, overrides);
    if ('faults' in outcome) {
      const issues = outcome.faults.map(({ word, message }) => ({ code: 'custom' as const, path: [word], message }));
      throw toValidationProblem('bad-request', new z.ZodError(issues.map((issue) => ({ ...issue, input: undefined }))));
    }
    const { policy } = outcome;
    const warnings = lintPolicy({ policy, shutdownGraceMs });
    return c.json({ ...toRetryPlan(policy, { failures }), warnings }, 200);
  });
}
