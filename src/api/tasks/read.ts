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
  summary: 'Read a task; needs no worker',
  description: 'Its state and attempts, and at its end the output or the failure. Tasks of other keys are a 404.',
  request: { params: taskIdParameter, query: noQuery },
  responses: { 200: toBody(taskSchema, 'The task as it is now'), ...toResponses(...taskProblems) },
});

/** Adds `GET /tasks/{id}`. */
export function addReadRoute(app: TaskApp, { admission, view }: TaskDependencies) {
  app.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    const name = requireTaskName(c.var.owner, id);
    return c.json(await admission.call(() => view.readTask(id, name)), 200);
  });
}
