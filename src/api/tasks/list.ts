import { createRoute } from '@hono/zod-openapi';
import { toBody, toResponses } from '../problems/openapi.ts';
import { taskListSchema } from '../views/schemas.ts';
import type { TaskApp, TaskDependencies } from './dependencies.ts';
import { createTaskList } from './task-list.ts';
import { listQuery } from './visibility.ts';

const listProblems = ['unauthorized', 'rate-limited', 'temporal-unavailable', 'overloaded'] as const;

const route = createRoute({
  method: 'get',
  path: '/tasks',
  operationId: 'listTasks',
  tags: ['Tasks'],
  summary: 'List tasks: first open tasks by start time, then finished tasks, the latest first',
  description:
    'If the request has no `status` parameter, an open task shows as `scheduled` or `open`. If the parameter is `queued`, `running`, `retrying` or `cancelling`, the request reads up to 200 open tasks and returns those that match. A page may therefore be short or empty and still have a `nextCursor`. With `scheduled` that can happen while many new tasks are open, and with `failed` and `cancelled` if the server runs tasks as standalone activities. It may take a second until a new task is listed.',
  request: { query: listQuery },
  responses: { 200: toBody(taskListSchema, 'A page of tasks'), ...toResponses(...listProblems) },
});

/** Adds `GET /tasks`. */
export function addListRoute(app: TaskApp, { engine, admission, view }: TaskDependencies) {
  const listTasks = createTaskList(engine, view);

  app.openapi(route, async (c) => {
    const query = c.req.valid('query');
    return c.json(await listTasks(c.var.owner, query, (work) => admission.read(c.var, work)), 200);
  });
}
