import { createRoute, z } from '@hono/zod-openapi';
import { type TaskName, tasks } from '../../tasks.ts';
import { rateLimitHeaders, toHeaders } from '../problems/headers.ts';
import { anyBody, anyPost, anySubmission, noQuery, toResponses } from '../problems/openapi.ts';
import { idempotencyKeyHeader, toLinks, toOperationId } from '../tasks/task-operations.ts';
import { cursorQuery, toLimitQuery } from '../tasks/visibility.ts';
import { batchSchema, exampleBatchId, itemStatuses, mostItems, toBatchBodies } from './batch-schemas.ts';

const idParameter = z.object({ id: z.string().describe('The id of a batch').openapi({ example: exampleBatchId }) });
const body = (description: string) => ({ description, content: { 'application/json': { schema: batchSchema } } });

/** The size of a page without a `limit`. */
export const defaultItems = 100;

export const itemsQuery = z.strictObject({
  limit: toLimitQuery(defaultItems),
  cursor: cursorQuery,
  status: z.enum(itemStatuses).optional().describe('Only items of this status'),
});

const ofBatch = ['unauthorized', 'not-found', 'temporal-unavailable'] as const;

export const batchRoutes = {
  read: createRoute({
    method: 'get',
    path: '/batches/{id}',
    operationId: 'readBatch',
    tags: ['Batches'],
    summary: 'Read a batch and a page of its items; works with no worker alive',
    description:
      'While the batch runs its counts may lag behind its items, by two seconds at first and a minute at most. With a status one request reads up to 2,000 items, ' +
      'so a page may be short and still have a `nextCursor`. Batches of other keys are a 404.',
    request: { params: idParameter, query: itemsQuery },
    responses: { 200: body('The batch as it is now'), ...toResponses(...ofBatch) },
  }),
  cancel: createRoute({
    method: 'post',
    path: '/batches/{id}/cancel',
    operationId: 'cancelBatch',
    tags: ['Batches'],
    summary: 'Cancel a batch: waiting items end at once, a running attempt ends with its next heartbeat',
    description:
      'Items that have ended stay as they are. Cancelling a cancelled batch again changes nothing and is a 202. A batch that has ended by itself is a 409.',
    request: { params: idParameter, query: noQuery },
    responses: {
      202: body('The batch, which ends as soon as its running attempts have'),
      ...toResponses(...anyPost, ...anyBody, ...ofBatch, 'already-finished'),
    },
  }),
  submit: (name: TaskName) => {
    const { list, repeat } = toBatchBodies(name);
    return {
      method: 'post' as const,
      path: `/batches/${name}`,
      operationId: toOperationId(`submit-${name}-batch`),
      tags: ['Batches'],
      summary: `${tasks[name].summary}, up to ${mostItems} times`,
      description:
        'Each item is retried, fails and is reported by itself, under the same policy as a task. Their inputs have 1.5 MiB as JSON at ' +
        'most, and items in a batch give way to single tasks. An output over 16 KiB fails its item. A batch is one submission, however many items it has.',
      request: {
        headers: z.object({ 'Idempotency-Key': idempotencyKeyHeader }),
        query: noQuery,
        body: { required: true, content: { 'application/json': { schema: z.union([list, repeat]) } } },
      },
      responses: {
        202: {
          ...body('The accepted batch'),
          headers: toHeaders('Location', 'Idempotency-Replayed', 'Idempotency-Expires', ...rateLimitHeaders),
          links: toLinks('readBatch', 'cancelBatch'),
        },
        ...toResponses(
          ...anyPost,
          ...anyBody,
          'unauthorized',
          'idempotency-mismatch',
          'temporal-unavailable',
          ...anySubmission,
        ),
      },
    };
  },
};
