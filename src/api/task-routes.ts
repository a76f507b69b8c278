import { createRoute, z } from '@hono/zod-openapi';
import { type TaskName, tasks } from '../tasks.ts';
import { anyPost, noQuery, toResponses } from './openapi.ts';
import { taskListSchema, taskSchema } from './schemas.ts';
import { listQuery } from './visibility.ts';

const idParameter = z.object({ id: z.string().describe('The id of a task') });
const body = (schema: z.ZodType, description: string) => ({ description, content: { 'application/json': { schema } } });

/** Thirty days: who plans further ahead wants a schedule. */
const longestDelaySeconds = 2_592_000;
const delayFault = `must be a number of seconds from 0 to ${longestDelaySeconds}`;

export const submitQuery = z.strictObject({
  delay: z
    .string()
    .regex(/^\d{1,7}(\.\d{1,3})?$/, delayFault)
    .transform(Number)
    .refine((seconds) => seconds <= longestDelaySeconds, delayFault)
    .optional()
    .openapi({ type: 'number', minimum: 0, maximum: longestDelaySeconds, default: 0 })
    .describe('Seconds until the first attempt; the task is `scheduled` until then'),
});

const idempotencyHeaders = z.object({
  'Idempotency-Key': z
    .string()
    .optional()
    .openapi({ minLength: 1, maxLength: 255, pattern: '^[\\x21-\\x7e]+$' })
    .describe('Makes the call safe to repeat: the same key and request always mean the same task'),
});

const accepted = (description: string) => ({
  ...body(taskSchema, description),
  headers: z.object({
    Location: z.string(),
    'Idempotency-Replayed': z.literal('true').optional().describe('The task was submitted before under this key'),
    'Idempotency-Expires': z.iso.datetime().optional().describe('With a key: it is remembered at least until then'),
  }),
});

export const taskRoutes = {
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
  rerun: createRoute({
    method: 'post',
    path: '/tasks/{id}/rerun',
    summary: 'Submit the input of a finished task again, under the policy of today',
    request: { params: idParameter, query: noQuery, headers: idempotencyHeaders },
    responses: {
      202: accepted('The new task'),
      ...toResponses(...anyPost, 401, 404, 409, 415, 422, 503),
    },
  }),
  submit: (name: TaskName) => ({
    method: 'post' as const,
    path: `/tasks/${name}`,
    summary: tasks[name].summary,
    request: {
      query: submitQuery,
      headers: idempotencyHeaders,
      body: { required: false, content: { 'application/json': { schema: tasks[name].input } } },
    },
    responses: { 202: accepted('The accepted task'), ...toResponses(...anyPost, 401, 415, 422, 503) },
  }),
};
