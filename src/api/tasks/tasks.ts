import { OpenAPIHono } from '@hono/zod-openapi';
import type { StartOnce } from '../../temporal/start-once.ts';
import type { ApiEnvironment } from '../http/auth.ts';
import { refuseUnknownName } from '../submissions/task-names.ts';
import { addCancelRoute } from './cancel.ts';
import type { TaskDependencies } from './dependencies.ts';
import { addListRoute } from './list.ts';
import { addReadRoute } from './read.ts';
import { addRerunRoute } from './rerun.ts';
import { createStartTask } from './start-task.ts';
import { addSubmitRoutes } from './submit.ts';

type Dependencies = Omit<TaskDependencies, 'startTask'> & { startOnce: StartOnce };

/** Creates the routes that submit, list, read, cancel and rerun tasks. */
export function createTaskRoutes(dependencies: Dependencies) {
  const app = new OpenAPIHono<ApiEnvironment>();
  const all = { ...dependencies, startTask: createStartTask(dependencies) };
  addSubmitRoutes(app, all);
  addListRoute(app, all);
  addReadRoute(app, all);
  addCancelRoute(app, all);
  addRerunRoute(app, all);
  app.all('/tasks/:name', refuseUnknownName);
  return app;
}
