import { Client, Connection } from '@temporalio/client';
import { Pool } from 'undici';
import { executeAll, serve, submitAll } from '../peer/serve.mjs';

const connection = Connection.lazy({ address: process.env.TEMPORAL_ADDRESS });
const client = new Client({ connection });
const pools = new Map();

async function call(url, method, path, body) {
  if (!pools.has(url)) pools.set(url, new Pool(url, { connections: 50 }));
  const json = body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const answer = await pools.get(url).request({ method, path, ...json });
  const text = await answer.body.text();
  if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${text.slice(0, 200)}`);
  return JSON.parse(text);
}

async function executeTask(url) {
  const { id, status } = await call(url, 'POST', '/tasks/fetch-joke?wait=10');
  if (status !== 'completed') throw new Error(`${id} is ${status}`);
}

/** `open` has the ids of the batches that have not ended. `inEnded` counts the completed items in ended batches. */
const open = new Set();
let inEnded = 0;

async function countBatches(url) {
  let inOpen = 0;
  for (const id of open) {
    const { completed, finishedAt } = await call(url, 'GET', `/batches/${id}?limit=1`);
    if (finishedAt) {
      open.delete(id);
      inEnded += completed;
    } else inOpen += completed;
  }
  return inEnded + inOpen;
}

/** Counts the completed tasks of an engine on a queue, in the same way as for bare Temporal. */
async function countTasks(engine, queue) {
  const type = engine === 'activity' ? 'ActivityType' : 'WorkflowType';
  const query = `TaskQueue = '${queue}' AND ${type} = 'fetch-joke' AND ExecutionStatus = 'Completed'`;
  return (await client[engine].count(query)).count;
}

serve({
  submitTasks: (url, count, atOnce) => submitAll(() => call(url, 'POST', '/tasks/fetch-joke'), count, atOnce),
  executeTasks: (url, count) => executeAll(count, () => executeTask(url)),
  countTasks,

  submitBatch: (url, isCounted, count) =>
    submitAll(
      async () => {
        const { id } = await call(url, 'POST', '/batches/fetch-joke', { count });
        if (isCounted) open.add(id);
      },
      1,
      1,
    ),
  countBatches,

  async stop() {
    await connection.close();
    await Promise.all([...pools.values()].map((pool) => pool.destroy()));
  },
});
