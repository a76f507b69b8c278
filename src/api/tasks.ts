import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { Client } from '@temporalio/client';
import type { Config } from '../config.ts';
import { toActivityOptions } from '../policy.ts';
import { type TaskName, taskNames, tasks } from '../tasks.ts';
import type { ApiEnvironment } from './auth.ts';
import { readInput } from './body.ts';
import { callTemporal } from './calls.ts';
import { anyPost, noQuery, toResponses } from './openapi.ts';
import { Problem, toValidationProblem } from './problem.ts';
import { taskListSchema, taskSchema } from './schemas.ts';
import { createTaskId, toTaskName } from './task-id.ts';
import { createTaskList } from './task-list.ts';
import { createTaskView, type TaskMemo } from './task-view.ts';
import { listQuery } from './visibility.ts';

/** A workflow task whose worker died is handed on after this time instead of Temporal's 10 s. */
const workflowTaskTimeoutMs = 5_000;

/** What a call without input takes: no body, or an empty object. */
const noInput = z.strictObject({});
const idParameter = z.object({ id: z.string().describe('The id of a task') });
const body = (schema: z.ZodType, description: string) => ({ description, content: { 'application/json': { schema } } });

const routes = {
  list: createRoute({
    method: 'get',
    path: '/tasks',
    summary: 'List tasks: open ones first by start, then the latest finished',
    request: { query: listQuery },
    responses: { 200: body(taskListSchema, 'A page of tasks'), ...toResponses(401, 503) },
  }),
  read: createRoute({
    method: 'get',
    path: '/tasks/{id}',
    summary: 'Read a task; works with no worker alive',
    request: { params: idParameter, query: noQuery },
    responses: { 200: body(taskSchema, 'The task as it is now'), ...toResponses(401, 404, 503) },
  }),
  cancel: createRoute({
    method: 'post',
    path: '/tasks/{id}/cancel',
    summary: 'Cancel a task; a running attempt is told with its next heartbeat',
    request: { params: idParameter, query: noQuery },
    responses: {
      202: body(taskSchema, 'The task, cancelling or cancelled'),
      ...toResponses(...anyPost, 401, 404, 409, 415, 422, 503),
    },
  }),
  submit: (name: TaskName) => ({
    method: 'post' as const,
    path: `/tasks/${name}`,
    summary: tasks[name].summary,
    request: { body: { required: false, content: { 'application/json': { schema: tasks[name].input } } } },
    responses: {
      202: { ...body(taskSchema, 'The accepted task'), headers: z.object({ Location: z.string() }) },
      ...toResponses(...anyPost, 401, 415, 422, 503),
    },
  }),
};

/** The tasks of the catalogue: submit, read, list, cancel. */
export function createTaskRoutes({ client, config }: { client: Client; config: Config }) {
  const app = new OpenAPIHono<ApiEnvironment>();
  const view = createTaskView(client, config);
  const listTasks = createTaskList(client, config.temporal.namespace, view);
  const options = toActivityOptions(config.policy);
  const { maximumAttempts: maxAttempts, jitter } = config.policy;

  const requireTaskName = (owner: string, id: string): TaskName => {
    const name = toTaskName(owner, id);
    if (!name) throw new Problem('not-found', 'There is no task of this id');
    return name;
  };

  for (const name of taskNames) {
    app.openAPIRegistry.registerPath(routes.submit(name));
    app.post(`/tasks/${name}`, async (c) => {
      requireNoQuery(c.req.queries());
      const input = await readInput(c, tasks[name].input);
      const memo: TaskMemo = { input, maxAttempts, submittedAt: new Date().toISOString() };
      const id = createTaskId(c.var.owner, name);
      await callTemporal(() =>
        client.workflow.start(name, {
          workflowId: id,
          taskQueue: config.taskQueue,
          workflowTaskTimeout: workflowTaskTimeoutMs,
          args: [{ input, options, jitter }],
          memo,
        }),
      );
      return c.json(view.toSubmitted(id, name, memo), 202, { Location: `/tasks/${id}` });
    });
  }

  app.openapi(routes.list, async (c) => {
    const { owner } = c.var;
    const query = c.req.valid('query');
    return c.json(await callTemporal(() => listTasks(owner, query)), 200);
  });

  app.openapi(routes.read, async (c) => {
    const { id } = c.req.valid('param');
    const name = requireTaskName(c.var.owner, id);
    return c.json(await callTemporal(() => view.readTask(id, name)), 200);
  });

  app.openapi(routes.cancel, async (c) => {
    const { id } = c.req.valid('param');
    const name = requireTaskName(c.var.owner, id);
    await readInput(c, noInput);
    const task = await callTemporal(async () => {
      const before = await view.readTask(id, name);
      // Temporal accepts the cancellation of a finished workflow: only a look at it tells.
      if (before.finishedAt) return before;
      await view.cancelTask(before);
      return view.readTask(id, name);
    });
    if (task.status === 'completed' || task.status === 'failed') {
      throw new Problem('already-finished', `The task has ${task.status}`);
    }
    return c.json(task, 202);
  });

  // Behind the routes of the catalogue: a name nobody knows is a 404 that says which there are, not a 405.
  app.post('/tasks/:name', () => {
    throw new Problem('not-found', `There is no such task; there are: ${taskNames.join(', ')}`);
  });
  return app;
}

function requireNoQuery(query: Record<string, string[]>): void {
  const { error } = noQuery.safeParse(query);
  if (error) throw toValidationProblem('bad-request', error);
}
