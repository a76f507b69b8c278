import { OpenAPIHono } from '@hono/zod-openapi';
import type { Client } from '@temporalio/client';
import { except } from 'hono/combine';
import { requestId } from 'hono/request-id';
import type { Config } from '../config/config.ts';
import type { ReportedFault } from '../embedded/faults.ts';
import { taskNames } from '../tasks.ts';
import type { Logger } from '../telemetry/log.ts';
import type { ApiMetrics } from '../telemetry/metrics.ts';
import { createAdmission } from '../temporal/admission.ts';
import { createEngine } from '../temporal/engines/create-engine.ts';
import { createStartWorkflow } from '../temporal/engines/start-workflow.ts';
import { createShares } from '../temporal/shares.ts';
import { createStartOnce } from '../temporal/start-once.ts';
import { createWriteCheck } from '../temporal/write-check.ts';
import { createBatchRoutes } from './batches/batches.ts';
import { answerErrors, refuseOtherMethods } from './http/answer-errors.ts';
import { type ApiEnvironment, requireApiKey } from './http/auth.ts';
import { limitBody } from './http/body.ts';
import { limitReads, limitUrl, maximumBatchBytes, maximumBodyBytes, maximumBufferedBytes } from './http/limits.ts';
import { closeUnread } from './http/node-request.ts';
import { observeRequests } from './http/observe-requests.ts';
import { guardOrigin } from './http/origin.ts';
import { refuseNamelessParameter } from './http/query.ts';
import { setSafeHeaders } from './http/safe-headers.ts';
import { createSubmissionMiddleware } from './submissions/submission.ts';
import { createDocsRoutes } from './system/docs.ts';
import { createDocumentRoute, createMetricsRoute } from './system/document.ts';
import { createHealthRoutes } from './system/health.ts';
import { createProblemRoutes } from './system/problem-pages.ts';
import { createRetryPlanRoute } from './system/retry-plan.ts';
import { createTaskRoutes } from './tasks/tasks.ts';
import { createTaskView } from './views/task-view.ts';
import { createEventRoutes } from './watch/events.ts';
import { createWatcher, type WatchedTasks } from './watch/watch.ts';

export type AppDependencies = {
  client: Client;
  config: Config;
  log: Logger;
  metrics: ApiMetrics;
  /** Aborts when the process stops. Event streams then end, and submissions with `?wait=` are answered at once. */
  stopping?: AbortSignal;
  /** The latest fault that `npm start` has reported about the embedded server. */
  reported?: Pick<ReportedFault, 'read'>;
};

/** Creates the HTTP API. It does not listen on a port, so a test can call `createApp(…).request('/health')`. */
export function createApp({ client, config, log, metrics, stopping, reported }: AppDependencies) {
  const app = new OpenAPIHono<ApiEnvironment>();
  answerErrors(app, log, config);
  app.use(closeUnread, requestId(), observeRequests(metrics, log), setSafeHeaders, refuseOtherMethods(app));
  app.use(limitUrl, guardOrigin(config), refuseNamelessParameter);

  const writes = createWriteCheck(client, config);
  app.route('/', createHealthRoutes({ client, config, writes, reported }));
  app.route('/', createProblemRoutes());
  app.route('/', createDocsRoutes());
  app.route('/', createDocumentRoute(app));

  app.use(requireApiKey(config));
  const bodies = createShares(() => maximumBufferedBytes, config);
  const batchPaths = taskNames.map((name) => `/batches/${name}`);
  app.use(except(batchPaths, limitBody(maximumBodyBytes, bodies)));
  for (const path of batchPaths) app.use(path, limitBody(maximumBatchBytes, bodies));
  app.route('/', createMetricsRoute(metrics, config));
  app.route('/', createRetryPlanRoute(config));

  const admission = createAdmission(config);
  app.use(limitReads(admission));
  const startOnce = createStartOnce(client, config, admission, writes);
  const submission = createSubmissionMiddleware({ admission, metrics });
  const startWorkflow = createStartWorkflow(client, config);
  const engine = createEngine(client, config, startWorkflow);
  const view = createTaskView(engine, config);
  const watched: WatchedTasks = {
    read: (owner, id, name) => admission.call(owner, () => view.readTask(id, name)),
    readEnded: (owner, id, name) => admission.call(owner, () => view.readEnded(id, name)),
    awaitEnd: engine.awaitEnd,
  };
  const watcher = createWatcher({ tasks: watched, config, stopping });
  app.route('/', createTaskRoutes({ config, engine, admission, view, watcher, startOnce, submission }));
  app.route('/', createBatchRoutes({ client, config, admission, startOnce, startWorkflow, submission }));
  app.route('/', createEventRoutes({ admission, view, watcher, metrics, config }));
  return app;
}
