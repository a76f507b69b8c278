import { createRoute } from '@hono/zod-openapi';
import { noInput, readBody, toInput } from '../http/body.ts';
import { anyBody, anyPost, noQuery, toBody, toResponses } from '../problems/openapi.ts';
import { Problem } from '../problems/problem.ts';
import { taskSchema } from '../views/schemas.ts';
import { requireTaskName } from '../views/task-id.ts';
import type { TaskApp, TaskDependencies } from './dependencies.ts';
import { taskIdParameter, taskProblems } from './task-operations.ts';

const route = createRoute({
  method: 'post',
  path: '/tasks/{id}/cancel',
  operationId: 'cancelTask',
  tags: ['Tasks'],
  summary: 'Cancel a task',
  description:
    'A task without a running attempt is cancelled at once. A running attempt ends with its next heartbeat. If the server ' +
    'runs tasks as standalone activities, an attempt that ends before then decides how the task ends. Cancelling a ' +
    'cancelled task again changes nothing, and the answer is 202.',
  request: { params: taskIdParameter, query: noQuery },
  responses: {
    202: toBody(taskSchema, 'The task, cancelling or cancelled'),
    ...toResponses(...anyPost, ...anyBody, ...taskProblems, 'already-finished'),
  },
});

/** Adds `POST /tasks/{id}/cancel`, which answers 409 if the task has completed or failed. */
export function addCancelRoute(app: TaskApp, { admission, view }: TaskDependencies) {
  app.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    const name = requireTaskName(c.var.owner, id);
    toInput(noInput, await readBody(c));
    const task = await admission.call(c.var.owner, () => view.cancelTask(id, name));
    if (task.status === 'completed' || task.status === 'failed') {
      throw new Problem('already-finished', `The task has ${task.status}`);
    }
    return c.json(task, 202);
  });
}
