import { z } from '@hono/zod-openapi';
import { type TaskName, taskNames, tasks } from '../../tasks.ts';
import { readBody } from '../http/body.ts';
import { toQuery } from '../http/query.ts';
import { rateLimitHeaders, toHeaders } from '../problems/headers.ts';
import { noQuery, toBody, toResponses } from '../problems/openapi.ts';
import { readCaller } from '../submissions/caller.ts';
import { requirePost } from '../submissions/task-names.ts';
import type { TaskApp } from '../tasks/dependencies.ts';
import { idempotencyKeyHeader, submissionProblems, toLinks, toOperationId } from '../tasks/task-operations.ts';
import { batchSchema, maximumBatchItems, toBatchBodies } from './batch-schemas.ts';
import type { BatchDependencies } from './dependencies.ts';

const toRoute = (name: TaskName) => ({
  method: 'post' as const,
  path: `/batches/${name}`,
  operationId: toOperationId(`submit-${name}-batch`),
  tags: ['Batches'],
  summary: `${tasks[name].summary}, up to ${maximumBatchItems} times`,
  description:
    'Each item is retried, fails and is reported separately, under the same policy as a task. All inputs together may ' +
    'have at most 1.5 MiB as JSON. Single tasks start before the queued items of batches. An item whose output is ' +
    'over 16 KiB fails. For `RATE_LIMIT`, a batch counts as one submission, however many items it has.',
  request: {
    headers: z.object({ 'Idempotency-Key': idempotencyKeyHeader }),
    query: noQuery,
    body: { required: true, content: { 'application/json': { schema: z.union(Object.values(toBatchBodies(name))) } } },
  },
  responses: {
    202: {
      ...toBody(batchSchema, 'The accepted batch'),
      headers: toHeaders('Location', 'Idempotency-Replayed', 'Idempotency-Expires', ...rateLimitHeaders),
      links: toLinks('readBatch', 'cancelBatch'),
    },
    ...toResponses(...submissionProblems),
  },
});

/** Adds `POST /batches/{name}` for each task of the catalogue. Other methods on these paths get 405. */
export function addSubmitRoutes(app: TaskApp, { startBatch, submission }: BatchDependencies) {
  for (const name of taskNames) {
    app.openAPIRegistry.registerPath(toRoute(name));
    app.post(`/batches/${name}`, ...submission(name), async (c) => {
      toQuery(noQuery, c.req.queries());
      const { value, headers } = await startBatch({ ...readCaller(c), name, body: await readBody(c) });
      return c.json(value, 202, { Location: `/batches/${value.id}`, ...headers });
    });
    app.all(`/batches/${name}`, requirePost);
  }
}
