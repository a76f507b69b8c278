import { OpenAPIHono } from '@hono/zod-openapi';
import type { Config } from '../../config/config.ts';
import type { StartWorkflow } from '../../temporal/engines/start-workflow.ts';
import type { StartOnce } from '../../temporal/start-once.ts';
import type { ApiEnvironment } from '../http/auth.ts';
import { refuseUnknownName } from '../submissions/task-names.ts';
import { createBatchView } from './batch-view.ts';
import { addCancelRoute } from './cancel.ts';
import type { BatchDependencies } from './dependencies.ts';
import { addReadRoute } from './read.ts';
import { createStartBatch } from './start-batch.ts';
import { addSubmitRoutes } from './submit.ts';

type Dependencies = Omit<BatchDependencies, 'view' | 'startBatch'> & {
  config: Config;
  startOnce: StartOnce;
  startWorkflow: StartWorkflow;
};

/** Creates the routes that submit, read and cancel batches. */
export function createBatchRoutes(dependencies: Dependencies) {
  const app = new OpenAPIHono<ApiEnvironment>();
  const view = createBatchView(dependencies.client);
  const all = { ...dependencies, view, startBatch: createStartBatch({ ...dependencies, view }) };
  addSubmitRoutes(app, all);
  addReadRoute(app, all);
  addCancelRoute(app, all);
  app.all('/batches/:name', refuseUnknownName);
  return app;
}
