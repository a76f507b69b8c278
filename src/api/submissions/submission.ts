import type { Context, MiddlewareHandler } from 'hono';
import { createMiddleware } from 'hono/factory';
import { parseId } from '../../contract.ts';
import { type TaskName, taskNames } from '../../tasks.ts';
import type { ApiMetrics } from '../../telemetry/metrics.ts';
import type { Admission } from '../../temporal/admission.ts';
import { windowMs } from '../../temporal/rate-limit.ts';
import type { ApiEnvironment } from '../http/auth.ts';
import { toProblem } from '../problems/problem.ts';

type Middleware = MiddlewareHandler<ApiEnvironment>;
type Dependencies = { admission: Admission; metrics: Pick<ApiMetrics, 'submissions'> };

/**
 * Creates the middleware of the routes that submit. The middleware counts the submissions of task `name` in the metrics
 * and limits them. The route for reruns passes no `name`: the middleware takes the name from the task id in the path.
 */
export const createSubmissionMiddleware =
  ({ admission, metrics }: Dependencies) =>
  (name?: TaskName): [Middleware, Middleware] => [countSubmissions(metrics, name), limitSubmissions(admission)];

export type SubmissionMiddleware = ReturnType<typeof createSubmissionMiddleware>;

const countSubmissions = ({ submissions }: Dependencies['metrics'], name?: TaskName) =>
  createMiddleware<ApiEnvironment>(async (c, next) => {
    await next();
    const task = name ?? taskNames.find((known) => known === parseId(c.req.param('id') ?? '')?.name);
    if (task) submissions.inc({ task, outcome: toOutcome(c) });
  });

function toOutcome(c: Context): 'accepted' | 'replayed' | 'refused' | 'unknown' {
  if (c.error) return toProblem(c.error).outcome === 'unknown' ? 'unknown' : 'refused';
  return c.res.headers.has('Idempotency-Replayed') ? 'replayed' : 'accepted';
}

/**
 * If the rate limit or the limit of starts in flight is reached, refuses a submission before its body is read. If
 * `RATE_LIMIT` is set, every answer to a submission has the headers of draft-ietf-httpapi-ratelimit-headers-10.
 */
export const limitSubmissions = (admission: Pick<Admission, 'readRate' | 'requireCapacity'>) =>
  createMiddleware<ApiEnvironment>(async (c, next) => {
    const { rateLimitKey } = c.var;
    setRateHeaders((name, value) => c.header(name, value));
    admission.requireCapacity(c.var);
    await next();
    // Now that the answer exists, `c.header` would copy it, so set its headers directly.
    setRateHeaders((name, value) => c.res.headers.set(name, value));

    function setRateHeaders(set: (name: string, value: string) => void) {
      const rate = admission.readRate(rateLimitKey);
      if (!rate) return;
      set('RateLimit-Policy', `"submissions";q=${rate.limit};w=${windowMs / 1_000}`);
      set('RateLimit', `"submissions";r=${rate.remaining};t=${rate.resetSeconds}`);
    }
  });
