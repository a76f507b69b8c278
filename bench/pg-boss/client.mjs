import pg from 'pg';
import { PgBoss } from 'pg-boss';
import { executeAll, serve, submitAll } from '../peer/serve.mjs';
import { queue } from './queue.mjs';

/** This instance only submits jobs. The instance of the worker does the maintenance. */
const boss = new PgBoss({ connectionString: process.env.STORE_URL, supervise: false, schedule: false });
boss.on('error', console.error);
await boss.start();
const reading = new pg.Pool({ connectionString: process.env.STORE_URL, max: 1 });

serve({
  submit: (count, atOnce) => submitAll(() => boss.send(queue, {}), count, atOnce),
  execute: (count) =>
    executeAll(
      count,
      () => boss.send(queue, {}),
      async (id) => (await boss.getJobById(queue, id)).state === 'completed',
    ),
  async completed() {
    const { rows } = await reading.query(
      `SELECT count(*)::int AS count FROM pgboss.job WHERE name = $1 AND state = 'completed'`,
      [queue],
    );
    return rows[0].count;
  },
  async stop() {
    await boss.stop();
    await reading.end();
  },
});
