import { createMiddleware } from 'hono/factory';
import { matchedRoutes } from 'hono/route';
import type { Logger } from '../../log.ts';
import type { ApiMetrics } from '../../metrics.ts';
import { type TaskName, taskNames } from '../../tasks.ts';
import type { ApiEnvironment } from './auth.ts';
import { readTrace, toTraceId } from './trace.ts';

/** Counts and times each request under its route (never its URL: a label has few values), and logs it in one line. */
export const observeRequests = (metrics: ApiMetrics, log: Logger) =>
  createMiddleware<ApiEnvironment>(async (c, next) => {
    const started = performance.now();
    await next();
    const { status } = c.res;
    // Middleware is registered for all methods and says nothing about the route; the first of the others answers.
    const route = matchedRoutes(c).find(({ method }) => method !== 'ALL')?.path ?? 'unmatched';
    const ms = performance.now() - started;
    metrics.requestDuration.observe({ method: c.req.method, route, status }, ms / 1_000);
    const task = c.req.method === 'POST' ? toSubmittedName(c.req.path) : undefined;
    if (task) metrics.submissions.inc({ task, outcome: toOutcome(status, c.var) });
    const isProbe = route === '/ready' || route === '/health';
    const level = isProbe ? 'debug' : status >= 500 ? 'warn' : task ? 'info' : 'debug';
    const traceId = toTraceId(readTrace(c));
    log[level](
      {
        requestId: c.var.requestId,
        ...(traceId && { traceId }),
        method: c.req.method,
        path: c.req.path,
        status,
        ms: Math.round(ms),
      },
      'Request',
    );
  });

/** The task that a POST to this path starts, once or many times: a submission's is in the path, a rerun's in the id that it names. */
function toSubmittedName(path: string): TaskName | undefined {
  return taskNames.find(
    (name) =>
      path === `/tasks/${name}` ||
      path === `/batches/${name}` ||
      (path.endsWith('/rerun') && path.split('_')[1] === name),
  );
}

function toOutcome(status: number, { isReplay, mayHaveStarted }: ApiEnvironment['Variables']) {
  if (status < 300) return isReplay ? 'replayed' : 'accepted';
  return mayHaveStarted ? 'unknown' : 'refused';
}
