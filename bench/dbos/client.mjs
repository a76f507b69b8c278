import { DBOSClient } from '@dbos-inc/dbos-sdk';
import pg from 'pg';
import { executeAll, serve, submitAll } from '../peer/serve.mjs';

const client = await DBOSClient.create({ systemDatabaseUrl: process.env.STORE_URL });
const reading = new pg.Pool({ connectionString: process.env.STORE_URL, max: 1 });
const options = { workflowName: 'fetch-joke', queueName: 'fetch-joke' };

serve({
  submit: (count, atOnce) => submitAll(() => client.enqueue(options), count, atOnce),
  execute: (count) =>
    executeAll(
      count,
      () => client.enqueue(options),
      async ({ workflowID }) => {
        const { rows } = await reading.query('SELECT status FROM dbos.workflow_status WHERE workflow_uuid = $1', [
          workflowID,
        ]);
        return rows[0].status === 'SUCCESS';
      },
    ),
  async completed() {
    const { rows } = await reading.query(
      `SELECT count(*)::int AS count FROM dbos.workflow_status WHERE status = 'SUCCESS'`,
    );
    return rows[0].count;
  },
  async stop() {
    await client.destroy();
    await reading.end();
  },
});
