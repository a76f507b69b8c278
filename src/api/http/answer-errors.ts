import type { OpenAPIHono } from '@hono/zod-openapi';
import { methodNotAllowed } from 'hono/method-not-allowed';
import type { Logger } from '../../telemetry/log.ts';
import { TemporalRefused } from '../../temporal/errors.ts';
import { answerProblem, Problem, toMethodProblem, toProblem, toValidationProblem } from '../problems/problem.ts';
import type { ApiEnvironment } from './auth.ts';

/** Answers every error of the app as a problem (RFC 9457), and logs the errors that an operator should see. */
export function answerErrors(app: OpenAPIHono<ApiEnvironment>, log: Logger): void {
  app.onError((error, c) => {
    const problem = toProblem(error);
    const { requestId } = c.var;
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
