import { OpenAPIHono } from '@hono/zod-openapi';
import type { Client } from '@temporalio/client';
import { except } from 'hono/combine';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { requestId } from 'hono/request-id';
import type { Config } from '../config/config.ts';
import type { Logger } from '../log.ts';
import type { ApiMetrics } from '../metrics.ts';
import { taskNames } from '../tasks.ts';
import { createStartOnce } from '../temporal/start-once.ts';
import { createStarts } from '../temporal/starts.ts';
import { createBatchRoutes } from './batches/batches.ts';
import { type ApiEnvironment, requireApiKey } from './http/auth.ts';
import { guardOrigin, limitBody, refuseNameless, setSafeHeaders } from './http/edge.ts';
import { observeRequests } from './http/observe-requests.ts';
import { limitRate } from './http/rate-limit.ts';
import { answerProblem, Problem, toMethodProblem, toProblem, toValidationProblem } from './problems/problem.ts';
import { createDocsRoutes } from './system/docs.ts';
import { documentRoute, metricsRoute, toDocument } from './system/document.ts';
import { createHealthRoutes } from './system/health.ts';
import { createProblemRoutes } from './system/problem-pages.ts';
import { createRetryPlanRoute } from './system/retry-plan.ts';
import { createTaskRoutes } from './tasks/tasks.ts';
import { createTaskView } from './views/task-view.ts';
import { createEventRoutes } from './watch/events.ts';
import { createWatcher } from './watch/watch.ts';

export type AppDependencies = {
  client: Client;
  config: Config;
  log: Logger;
  metrics: ApiMetrics;
  /** Aborted when the process is asked to end: whoever follows or waits for a task is let go. */
  stopping?: AbortSignal;
};

/** The calls that start tasks: what limits submissions stands before each POST to these. */
const submittingPaths = [...taskNames.flatMap((name) => [`/tasks/${name}`, `/batches/${name}`]), '/tasks/:id/rerun'];

/** The whole HTTP surface. It listens nowhere by itself: a test calls `createApp(…).request('/health')`. */
export function createApp({ client, config, log, metrics, stopping }: AppDependencies) {
  const app = new OpenAPIHono<ApiEnvironment>();

  app.onError((error, c) => {
    const problem = toProblem(error);
    const { requestId } = c.var;
    if (problem.slug === 'internal-error') log.error({ err: error, requestId }, 'Unexpected error');
    if (problem.slug === 'temporal-unavailable')
      log.warn({ requestId, cause: toCause(error) }, 'Temporal does not answer');
    return answerProblem(c, problem);
  });
  app.notFound((c) => answerProblem(c, new Problem('not-found', 'There is nothing at this path')));

  app.use(requestId(), observeRequests(metrics, log), setSafeHeaders);
  app.use(methodNotAllowed({ app, onMethodNotAllowed: (c, methods) => answerProblem(c, toMethodProblem(methods)) }));
  app.use(guardOrigin(config), refuseNameless, limitBody);

  app.defaultHook = (result) => {
    if (!result.success) throw toValidationProblem('bad-request', result.error);
  };
  app.route('/', createHealthRoutes({ client, config }));
  app.route('/', createProblemRoutes());
  app.route('/', createDocsRoutes());
  app.openapi(documentRoute, (c) => c.json(document(), 200));

  app.use(requireApiKey(config));
  app.openapi(metricsRoute, async (c) =>
    c.text(await metrics.registry.metrics(), 200, { 'Content-Type': metrics.registry.contentType }),
  );
  const starts = createStarts(config);
  const limitSubmissions = except((c) => c.req.method !== 'POST', limitRate(config), starts.shedLoad);
  for (const path of submittingPaths) app.use(path, limitSubmissions);
  const view = createTaskView(client, config);
  const watcher = createWatcher(view, stopping);
  const startOnce = createStartOnce({ client, config, starts });
  app.route('/', createTaskRoutes({ client, config, view, watcher, startOnce }));
  app.route('/', createBatchRoutes({ client, config, startOnce }));
  app.route('/', createEventRoutes(view, watcher, metrics));
  app.route('/', createRetryPlanRoute(config));

  const document = memoize(() => toDocument(app));
  return app;
}

/** What the client library says of a lost call, without its stack: it stands in the log once a request. */
const toCause = (error: unknown) => String((error as Error).cause ?? error).split('\n')[0];

/** The document depends on nothing but the code: made once, when first asked for. */
function memoize<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
