import { createRoute } from '@hono/zod-openapi';
import { noQuery, toBody, toResponses } from '../problems/openapi.ts';
import { taskSchema } from '../views/schemas.ts';
import { requireTaskName } from '../views/task-id.ts';
import type { TaskApp, TaskDependencies } from './dependencies.ts';
import { taskIdParameter, taskProblems } from './task-operations.ts';

const route = createRoute({
  method: 'get',
  path: '/tasks/{id}',
  operationId: 'readTask',
  tags: ['Tasks'],
  summary: 'Read a task',
  description:
    'Returns the state of the task, and after its end the output or the failure. No worker needs to run. For a task ' +
    'of another API key, the answer is 404.',
  request: { params: taskIdParameter, query: noQuery },
  responses: { 200: toBody(taskSchema, 'The task as it is now'), ...toResponses(...taskProblems, 'rate-limited') },
});

/** Adds `GET /tasks/{id}`. */
export function addReadRoute(app: TaskApp, { admission, view }: TaskDependencies) {
  app.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    const name = requireTaskName(c.var.owner, id);
    return c.json(await admission.read(c.var, () => view.readTask(id, name)), 200);
  });
}
