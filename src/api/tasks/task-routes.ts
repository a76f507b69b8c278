import { createRoute, z } from '@hono/zod-openapi';
import { type TaskName, tasks } from '../../tasks.ts';
import { rateLimitHeaders, toHeaders } from '../problems/headers.ts';
import { anyBody, anyPost, anySubmission, noQuery, toResponses } from '../problems/openapi.ts';
import { exampleId, taskListSchema, taskSchema } from '../views/schemas.ts';
import { preferHeader, waitQuery } from '../watch/wait.ts';
import { listQuery } from './visibility.ts';

const idParameter = z.object({ id: z.string().describe('The id of a task').openapi({ example: exampleId }) });
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
    .openapi({ type: 'number', minimum: 0, maximum: longestDelaySeconds, multipleOf: 0.001, default: 0 })
    .describe('Seconds until the first attempt, as plain decimals; the task is `scheduled` until then'),
  wait: waitQuery,
});

export const idempotencyKeyHeader = z
  .string()
  .optional()
  .openapi({ minLength: 1, maxLength: 255, pattern: '^[\\x21-\\x7e]+$' })
  .describe('Makes the call safe to repeat: the same key and request always mean the same task or batch');

const submissionHeaders = z.object({ 'Idempotency-Key': idempotencyKeyHeader, Prefer: preferHeader });

/** How a client goes on from a task that it was given. */
const links = Object.fromEntries(
  ['readTask', 'cancelTask', 'rerunTask'].map((operationId) => [
    operationId,
    { operationId, parameters: { id: '$response.body#/id' } },
  ]),
);

const accepted = (description: string) => ({
  ...body(taskSchema, description),
  headers: toHeaders(
    'Location',
    'Idempotency-Replayed',
    'Idempotency-Expires',
    'Preference-Applied',
    ...rateLimitHeaders,
  ),
  links,
});

/** `submit-fetch-joke` → `submitFetchJoke`. */
export const toOperationId = (words: string) => words.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

const ended = 'The finished task: it ended while the caller waited';

const ofTask = ['unauthorized', 'not-found', 'temporal-unavailable'] as const;

export const taskRoutes = {
  list: createRoute({
    method: 'get',
    path: '/tasks',
    operationId: 'listTasks',
    tags: ['Tasks'],
    summary: 'List tasks: open ones first by start, then the latest finished',
    description:
      'Without a status an open task shows as `scheduled` or `open`. The statuses `queued`, `running`, `retrying` and `cancelling` look closer at up to 200 open tasks a request, so a page may be short and still have a `nextCursor`. A new task may take a second to appear.',
    request: { query: listQuery },
    responses: { 200: body(taskListSchema, 'A page of tasks'), ...toResponses('unauthorized', 'temporal-unavailable') },
  }),
  read: createRoute({
    method: 'get',
    path: '/tasks/{id}',
    operationId: 'readTask',
    tags: ['Tasks'],
    description: 'Its state, its attempts, and at its end the output or the failure. Tasks of other keys are a 404.',
    summary: 'Read a task; works with no worker alive',
    request: { params: idParameter, query: noQuery },
    responses: { 200: body(taskSchema, 'The task as it is now'), ...toResponses(...ofTask) },
  }),
  cancel: createRoute({
    method: 'post',
    path: '/tasks/{id}/cancel',
    operationId: 'cancelTask',
    tags: ['Tasks'],
    description: 'A task that waits is cancelled at once. To cancel a cancelled task again is no fault.',
    summary: 'Cancel a task; a running attempt is told with its next heartbeat',
    request: { params: idParameter, query: noQuery },
    responses: {
      202: body(taskSchema, 'The task, cancelling or cancelled'),
      ...toResponses(...anyPost, ...anyBody, ...ofTask, 'already-finished'),
    },
  }),
  rerun: createRoute({
    method: 'post',
    path: '/tasks/{id}/rerun',
    operationId: 'rerunTask',
    tags: ['Tasks'],
    description: 'A new task, whose `rerunOf` names the old one. The old one stays as it is.',
    summary: 'Submit the input of a finished task again, under the policy of today',
    request: { params: idParameter, query: z.strictObject({ wait: waitQuery }), headers: submissionHeaders },
    responses: {
      200: accepted(ended),
      202: accepted('The new task'),
      ...toResponses(...anyPost, ...anyBody, ...ofTask, 'still-open', 'idempotency-mismatch', ...anySubmission),
    },
  }),
  submit: (name: TaskName) => ({
    method: 'post' as const,
    path: `/tasks/${name}`,
    operationId: toOperationId(`submit-${name}`),
    tags: ['Tasks'],
    summary: tasks[name].summary,
    description: 'Answers as soon as the task is kept; read it to see how it gets on.',
    request: {
      query: submitQuery,
      headers: submissionHeaders,
      body: { required: false, content: { 'application/json': { schema: tasks[name].input } } },
    },
    responses: {
      200: accepted(ended),
      202: accepted('The accepted task'),
      ...toResponses(
        ...anyPost,
        ...anyBody,
        'unauthorized',
        'idempotency-mismatch',
        'temporal-unavailable',
        ...anySubmission,
      ),
    },
  }),
};
