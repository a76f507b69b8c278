import { createRoute, z } from '@hono/zod-openapi';
import type { InTurn } from '../../temporal/admission.ts';
import { activityStatuses } from '../../temporal/engines/task-state.ts';
import { parseCursor, toCursor } from '../http/cursor.ts';
import { toBody, toResponses } from '../problems/openapi.ts';
import type { TaskApp } from '../tasks/dependencies.ts';
import { taskProblems } from '../tasks/task-operations.ts';
import { cursorQuery, toLimitQuery } from '../tasks/visibility.ts';
import { requireBatchName } from '../views/task-id.ts';
import { batchIdParameter, batchSchema } from './batch-schemas.ts';
import type { BatchDependencies } from './dependencies.ts';

/** The size of a page if the request has no `limit`. */
const defaultItems = 100;

/** The index of the first item of a page. */
const positionSchema = z.int().min(0);

const itemsQuery = z.strictObject({
  limit: toLimitQuery(defaultItems),
  cursor: cursorQuery,
  status: z.enum(activityStatuses).optional().describe('Only items of this status'),
});

const route = createRoute({
  method: 'get',
  path: '/batches/{id}',
  operationId: 'readBatch',
  tags: ['Batches'],
  summary: 'Read a batch and a page of its items',
  description:
    'No worker needs to run. While the batch runs, its counts may be older than its items: by up to two seconds, or ' +
    'by up to a minute while more than 20 of its chunks of up to 500 items are open. One request reads up to 2,000 ' +
    'items, or fewer if they have over 4 MiB. A page has at most 4 MiB of items. With a `status`, a request returns ' +
    'the items that match. A page may therefore be short or empty and still have a `nextCursor`. For a batch of ' +
    'another API key, the answer is 404.',
  request: { params: batchIdParameter, query: itemsQuery },
  responses: { 200: toBody(batchSchema, 'The batch as it is now'), ...toResponses(...taskProblems, 'rate-limited') },
});

/** Adds `GET /batches/{id}`. */
export function addReadRoute(app: TaskApp, { admission, view }: BatchDependencies) {
  app.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    const { limit = defaultItems, cursor, status } = c.req.valid('query');
    const name = requireBatchName(c.var.owner, id);
    const filter = { batch: id, status };
    const start = cursor ? parseCursor(positionSchema, filter, cursor) : 0;
    const inTurn: InTurn = (work) => admission.read(c.var, work);
    const { batch, state } = await view.readState(id, name, inTurn);
    const { items, next } = await view.readPage(state, { start, limit, status }, inTurn);
    return c.json({ ...batch, items, ...(next !== undefined && { nextCursor: toCursor(filter, next) }) }, 200);
  });
}
