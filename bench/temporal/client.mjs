import { Client, Connection } from '@temporalio/client';
import { executeAll, serve, submitAll } from '../peer/serve.mjs';

const { TEMPORAL_ADDRESS, UPSTREAM_URL } = process.env;
const connection = Connection.lazy({ address: TEMPORAL_ADDRESS });
const client = new Client({ connection });
const input = { url: `${UPSTREAM_URL}/jokes/random` };

/** Without an id for each, Temporal would refuse the second. */
const toWorkflow = (taskQueue) => ({ workflowId: `plain_${crypto.randomUUID()}`, taskQueue, args: [input] });

/** The same retry settings as in the workflow. */
const toActivity = (taskQueue) => ({
  id: `plain_${crypto.randomUUID()}`,
  taskQueue,
  args: [input],
  startToCloseTimeout: '5 minutes',
  retry: { initialInterval: '2 seconds', backoffCoefficient: 2, maximumInterval: '5 minutes', maximumAttempts: 5 },
});

/** The two kinds of a task: a workflow of one activity, and the activity alone. */
const kinds = {
  workflow: {
    start: (queue) => client.workflow.start('plain', toWorkflow(queue)),
    execute: (queue) => client.workflow.execute('plain', toWorkflow(queue)),
    count: (query) => client.workflow.count(`${query} AND WorkflowType = 'plain'`),
  },
  activity: {
    start: (queue) => client.activity.start('fetchJoke', toActivity(queue)),
    execute: (queue) => client.activity.execute('fetchJoke', toActivity(queue)),
    count: (query) => client.activity.count(`${query} AND ActivityType = 'fetchJoke'`),
  },
};

serve({
  submit: (kind, queue, count, atOnce) => submitAll(() => kinds[kind].start(queue), count, atOnce),
  execute: (kind, queue, count) => executeAll(count, () => kinds[kind].execute(queue)),
  completed: async (kind, queue) =>
    (await kinds[kind].count(`TaskQueue = '${queue}' AND ExecutionStatus = 'Completed'`)).count,
  readServerVersion: async () => (await client.workflowService.getSystemInfo({})).serverVersion,
  stop: () => connection.close(),
});
