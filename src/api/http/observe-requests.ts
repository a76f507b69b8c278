import { createMiddleware } from 'hono/factory';
import { matchedRoutes } from 'hono/route';
import type { Logger } from '../../telemetry/log.ts';
import type { ApiMetrics } from '../../telemetry/metrics.ts';
import type { ApiEnvironment } from './auth.ts';
import { readTrace, toTraceId } from './trace.ts';

/** Counts, times and logs each request. The metric's label is the route: paths contain ids, so there are too many. */
export const observeRequests = (metrics: ApiMetrics, log: Logger) =>
  createMiddleware<ApiEnvironment>(async (c, next) => {
    const started = performance.now();
    await next();
    const { status } = c.res;
    const { method, path } = c.req;
    // Middleware is registered with the method `ALL`. The first matched entry with another method is the route.
    const route = matchedRoutes(c).find((matched) => matched.method !== 'ALL')?.path ?? 'unmatched';
    const ms = performance.now() - started;
    metrics.requestDuration.observe({ method, route, status }, ms / 1_000);
    const isProbe = route === '/ready' || route === '/health';
    const level = isProbe ? 'debug' : status >= 500 ? 'warn' : method === 'POST' ? 'info' : 'debug';
    const traceId = toTraceId(readTrace(c));
    const ids = { requestId: c.var.requestId, ...(traceId && { traceId }) };
    log[level]({ ...ids, method, path, status, ms: Math.round(ms) }, 'Request');
  });
