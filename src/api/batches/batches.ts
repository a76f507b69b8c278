import { OpenAPIHono } from '@hono/zod-openapi';
import type { Client } from '@temporalio/client';
import { z } from 'zod';
import type { Config } from '../../config/config.ts';
import { taskNames } from '../../tasks.ts';
import type { Admission } from '../../temporal/admission.ts';
import type { StartOnce } from '../../temporal/start-once.ts';
import type { ApiEnvironment } from '../http/auth.ts';
import { noInput, readBody, toInput } from '../http/body.ts';
import { parseCursor, toCursor } from '../http/cursor.ts';
import { toQuery } from '../http/query.ts';
import { noQuery } from '../problems/openapi.ts';
import { Problem, toMethodProblem } from '../problems/problem.ts';
import { readCaller } from '../submissions/caller.ts';
import type { SubmissionMiddleware } from '../submissions/submission.ts';
import { requireBatchName } from '../views/task-id.ts';
import { cancelBatch } from './cancel.ts';
import { batchRoutes, defaultItems } from './submit.ts';
import { createBatchSubmit } from './start-batch.ts';
import { createBatchView } from './batch-view.ts';

/** The index of the first item of a page. */
const positionSchema = z.int().min(0);

type BatchDependencies = {
  client: Client;
  config: Config;
  admission: Admission;
  startOnce: StartOnce;
  submission: SubmissionMiddleware;
};

/** Batches of the catalogue's tasks: submit, read with a page of items, cancel. */
export function createBatchRoutes({ client, config, admission, startOnce, submission }: BatchDependencies) {
  const app = new OpenAPIHono<ApiEnvironment>();
  const view = createBatchView(client);
  const submit = createBatchSubmit({ config, view, startOnce });

  for (const name of taskNames) {
    app.openAPIRegistry.registerPath(batchRoutes.submit(name));
    app.post(`/batches/${name}`, ...submission(name), async (c) => {
      toQuery(noQuery, c.req.queries());
      const { value, headers } = await submit({ ...readCaller(c), name, body: await readBody(c) });
      return c.json(value, 202, { Location: `/batches/${value.id}`, ...headers });
    });
    // Without this the name would be taken for the id of a batch.
    app.all(`/batches/${name}`, () => {
      throw toMethodProblem(['POST']);
    });
  }

  app.openapi(batchRoutes.read, async (c) => {
    const { id } = c.req.valid('param');
    const { limit = defaultItems, cursor, status } = c.req.valid('query');
    const name = requireBatchName(c.var.owner, id);
    const filter = { batch: id, status };
    const start = cursor ? parseCursor(positionSchema, filter, cursor) : 0;
    return c.json(
      await admission.call(async () => {
        const { batch, state } = await view.readState(id, name);
        const { items, next } = await view.readPage(state, { start, limit, status });
        return { ...batch, items, ...(next !== undefined && { nextCursor: toCursor(filter, next) }) };
      }),
      200,
    );
  });

  app.openapi(batchRoutes.cancel, async (c) => {
    const { id } = c.req.valid('param');
    const name = requireBatchName(c.var.owner, id);
    toInput(noInput, await readBody(c));
    const batch = await admission.call(async () => {
      // Temporal accepts the cancellation of a finished workflow and does nothing.
      const { batch: before } = await view.readState(id, name);
      if (before.finishedAt) return before;
      await cancelBatch(client, id);
      return (await view.readState(id, name)).batch;
    });
    if (batch.status === 'completed' || batch.status === 'failed')
      throw new Problem('already-finished', `The batch has ${batch.status}`);
    return c.json(batch, 202);
  });

  // After the routes of the catalogue: a POST to an unknown name is a 404 that lists the names, instead of a 405.
  app.all('/batches/:name', (c) => {
    if (c.req.method !== 'POST') return c.notFound();
    throw new Problem('not-found', `There is no such task; there are: ${taskNames.join(', ')}`);
  });
  return app;
}
