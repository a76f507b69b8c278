import { setTimeout as delay } from 'node:timers/promises';
import type { OpenAPIHono } from '@hono/zod-openapi';
import { methodNotAllowed } from 'hono/method-not-allowed';
import type { Config } from '../../config/config.ts';
import type { Logger } from '../../telemetry/log.ts';
import { TemporalRefused } from '../../temporal/errors.ts';
import { hasSeveralOwners } from '../../temporal/shares.ts';
import { answerProblem, Problem, toMethodProblem, toProblem, toValidationProblem } from '../problems/problem.ts';
import type { ProblemSlug } from '../problems/problems.ts';
import type { ApiEnvironment } from './auth.ts';

/** The problems of clients that do more than they may. */
const refusals: ProblemSlug[] = ['overloaded', 'too-many-streams', 'rate-limited'];

/**
 * If several owners share this process, a refused request is answered after about this time. Clients that repeat their
 * requests at once would otherwise take the CPU from the other owners.
 */
const refusalMs = 1_000;

/** Answers every error of the app as a problem (RFC 9457), and logs the errors that an operator should see. */
export function answerErrors(app: OpenAPIHono<ApiEnvironment>, log: Logger, config: Pick<Config, 'apiKeys'>): void {
  const isShared = hasSeveralOwners(config);
  app.onError(async (error, c) => {
    const problem = toProblem(error);
    const { requestId } = c.var;
    if (isShared && refusals.includes(problem.slug)) await delay((0.5 + Math.random()) * refusalMs);
    if (error instanceof TemporalRefused) log.error({ requestId, cause: toCause(error) }, error.message);
    else if (problem.slug === 'internal-error') log.error({ err: error, requestId }, 'Unexpected error');
    if (problem.slug === 'temporal-unavailable') log.warn({ requestId, cause: toCause(error) }, error.message);
    return answerProblem(c, problem);
  });
  app.notFound((c) => answerProblem(c, new Problem('not-found', 'There is nothing at this path')));
  app.defaultHook = (result) => {
    if (!result.success) throw toValidationProblem('bad-request', result.error);
  };
}

/** Returns the middleware that answers 405 to a method that the path does not support. */
export const refuseOtherMethods = (app: OpenAPIHono<ApiEnvironment>) =>
  methodNotAllowed({ app, onMethodNotAllowed: (c, methods) => answerProblem(c, toMethodProblem(methods)) });

/** Returns the first line of an error's cause, or of the error itself if it has no cause. */
const toCause = (error: Error) => String(error.cause ?? error).split('\n')[0];
