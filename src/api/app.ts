import { OpenAPIHono } from '@hono/zod-openapi';
import type { Client } from '@temporalio/client';
import { except } from 'hono/combine';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { requestId } from 'hono/request-id';
import type { Config } from '../config/config.ts';
import type { Logger } from '../telemetry/log.ts';
import type { ApiMetrics } from '../telemetry/metrics.ts';
import { createAdmission } from '../temporal/admission.ts';
import { createStartOnce } from '../temporal/start-once.ts';
import { createBatchRoutes } from './batches/batches.ts';
import { type ApiEnvironment, requireApiKey } from './http/auth.ts';
import { limitBody } from './http/body.ts';
import { limitUrl, maximumBatchBytes, maximumBodyBytes } from './http/limits.ts';
import { observeRequests } from './http/observe-requests.ts';
import { guardOrigin } from './http/origin.ts';
import { refuseNamelessParameter } from './http/query.ts';
import { setSafeHeaders } from './http/safe-headers.ts';
import { answerProblem, Problem, toMethodProblem, toProblem, toValidationProblem } from './problems/problem.ts';
import { createSubmissionMiddleware } from './submissions/submission.ts';
import { createDocsRoutes } from './system/docs.ts';
import { documentRoute, metricsRoute, toDocument } from './system/document.ts';
import { createHealthRoutes } from './system/health.ts';
import { createProblemRoutes } from './system/problem-pages.ts';
import { createRetryPlanRoute } from './system/retry-plan.ts';
import { createTaskRoutes } from './tasks/tasks.ts';
import { createTaskView, type TaskView } from './views/task-view.ts';
import { createEventRoutes } from './watch/events.ts';
import { createWatcher } from './watch/watch.ts';

export type AppDependencies = {
  client: Client;
  config: Config;
  log: Logger;
  metrics: ApiMetrics;
  /** Aborted when the process stops: event streams and waits end. */
  stopping?: AbortSignal;
};

/** The whole HTTP surface. It does not listen: a test calls `createApp(…).request('/health')`. */
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
  app.defaultHook = (result) => {
    if (!result.success) throw toValidationProblem('bad-request', result.error);
  };

  app.use(requestId(), observeRequests(metrics, log), setSafeHeaders);
  app.use(methodNotAllowed({ app, onMethodNotAllowed: (c, methods) => answerProblem(c, toMethodProblem(methods)) }));
  app.use(limitUrl, guardOrigin(config), refuseNamelessParameter);
  app.use('/batches/:name', limitBody(maximumBatchBytes));
  app.use(except('/batches/:name', limitBody(maximumBodyBytes)));

  app.route('/', createHealthRoutes({ client, config }));
  app.route('/', createProblemRoutes());
  app.route('/', createDocsRoutes());
  app.openapi(documentRoute, (c) => c.json(document(), 200));

  app.use(requireApiKey(config));
  app.openapi(metricsRoute, async (c) =>
    c.text(await metrics.registry.metrics(), 200, { 'Content-Type': metrics.registry.contentType }),
  );
  const admission = createAdmission(config);
  const startOnce = createStartOnce(client, config, admission);
  const submission = createSubmissionMiddleware({ admission, metrics });
  const view = createTaskView(client, config);
  const readTask: TaskView['readTask'] = (id, name) => admission.call(() => view.readTask(id, name));
  const watcher = createWatcher({ readTask }, stopping);
  app.route('/', createTaskRoutes({ client, config, admission, view, watcher, startOnce, submission }));
  app.route('/', createBatchRoutes({ client, config, admission, startOnce, submission }));
  app.route('/', createEventRoutes({ readTask }, watcher, metrics));
  app.route('/', createRetryPlanRoute(config));

  const document = memoize(() => toDocument(app));
  return app;
}

/** The first line of what the client library reports about a lost call. */
const toCause = (error: unknown) => String((error as Error).cause ?? error).split('\n')[0];

/** The document depends on the code only, so it is made once, with its first request. */
function memoize<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
