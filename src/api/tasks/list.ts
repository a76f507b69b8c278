import { createRoute } from '@hono/zod-openapi';
import { toBody, toResponses } from '../problems/openapi.ts';
import { taskListSchema } from '../views/schemas.ts';
import type { TaskApp, TaskDependencies } from './dependencies.ts';
import { createTaskList } from './task-list.ts';
import { listQuery } from './visibility.ts';

const route = createRoute({
  method: 'get',
  path: '/tasks',
  operationId: 'listTasks',
  tags: ['Tasks'],
  summary: 'List tasks: first the open ones by start time, then the finished ones by finish time',
  description:
    'Without a status an open task shows as `scheduled` or `open`. With the status `queued`, `running`, `retrying` or `cancelling` a request reads up to 200 open tasks one by one, so a page may be short and still have a `nextCursor`. With `scheduled` that can happen while many new tasks are open. A new task may take a second to appear.',
  request: { query: listQuery },
  responses: { 200: toBody(taskListSchema, 'A page of tasks'), ...toResponses('unauthorized', 'temporal-unavailable') },
});

/** Adds `GET /tasks`. */
export function addListRoute(app: TaskApp, { client, config, admission, view }: TaskDependencies) {
  const listTasks = createTaskList(client, config, view);

  app.openapi(route, async (c) => {
    const { owner } = c.var;
    const query = c.req.valid('query');
    return c.json(await admission.call(() => listTasks(owner, query)), 200);
  });
}
