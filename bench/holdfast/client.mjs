import { Client, Connection } from '@temporalio/client';
import { Pool } from 'undici';
import { serve, submitAll } from '../peer/serve.mjs';

const { API_URL, IDLE_API_URL, TEMPORAL_ADDRESS, UPSTREAM_URL } = process.env;
const apis = new Map([API_URL, IDLE_API_URL].map((url) => [url, new Pool(url, { connections: 50 })]));
const connection = Connection.lazy({ address: TEMPORAL_ADDRESS });
const client = new Client({ connection });

async function call(url, method, path, body) {
  const json = body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const answer = await apis.get(url).request({ method, path, ...json });
  const text = await answer.body.text();
  if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${text.slice(0, 200)}`);
  return JSON.parse(text);
}

/** `open` has the ids of the batches that have not ended. `inEnded` counts the completed items in ended batches. */
const open = new Set();
let inEnded = 0;

async function countBatches() {
  let inOpen = 0;
  for (const id of open) {
    const { completed, finishedAt } = await call(API_URL, 'GET', `/batches/${id}?limit=1`);
    if (finishedAt) {
      open.delete(id);
      inEnded += completed;
    } else inOpen += completed;
  }
  return inEnded + inOpen;
}

/** Counts the completed workflows of a type on a queue, in the same way for Holdfast and for bare Temporal. */
const countClosed = async (type, queue) =>
  (await client.workflow.count(`TaskQueue = '${queue}' AND WorkflowType = '${type}' AND ExecutionStatus = 'Completed'`))
    .count;

serve({
  submitTasks: (isIdle, count, atOnce) =>
    submitAll(() => call(isIdle ? IDLE_API_URL : API_URL, 'POST', '/tasks/fetch-joke'), count, atOnce),
  countTasks: (queue) => countClosed('fetch-joke', queue),

  submitBatch: (isIdle, count) =>
    submitAll(
      async () => {
        const { id } = await call(isIdle ? IDLE_API_URL : API_URL, 'POST', '/batches/fetch-joke', { count });
        if (!isIdle) open.add(id);
      },
      1,
      1,
    ),
  countBatches,

  submitPlain: (queue, count, atOnce) =>
    submitAll(
      () =>
        client.workflow.start('plain', {
          workflowId: `plain_${crypto.randomUUID()}`,
          taskQueue: queue,
          args: [{ url: `${UPSTREAM_URL}/jokes/random` }],
        }),
      count,
      atOnce,
    ),
  countPlain: (queue) => countClosed('plain', queue),

  readServerVersion: async () => (await client.workflowService.getSystemInfo({})).serverVersion,

  async stop() {
    await connection.close();
    await Promise.all([...apis.values()].map((pool) => pool.destroy()));
  },
});
