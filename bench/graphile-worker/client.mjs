import { makeWorkerUtils } from 'graphile-worker';
import pg from 'pg';
import { executeAll, serve, submitAll } from '../peer/serve.mjs';

const utils = await makeWorkerUtils({ connectionString: process.env.STORE_URL });
const reading = new pg.Pool({ connectionString: process.env.STORE_URL, max: 1 });

/** Five attempts. The wait after attempt n is e^n seconds, and no setting changes that. */
const options = { maxAttempts: 5 };
let added = 0;

async function add() {
  const job = await utils.addJob('fetch-joke', {}, options);
  added += 1;
  return job;
}

serve({
  submit: (count, atOnce) => submitAll(add, count, atOnce),
  /** graphile-worker deletes completed jobs. */
  execute: (count) =>
    executeAll(count, add, async ({ id }) => {
      const { rowCount } = await reading.query('SELECT 1 FROM graphile_worker._private_jobs WHERE id = $1', [id]);
      return rowCount === 0;
    }),
  /** Returns the number of added jobs minus the jobs left. */
  async completed() {
    const addedBefore = added;
    const { rows } = await reading.query('SELECT count(*)::int AS count FROM graphile_worker._private_jobs');
    return addedBefore - rows[0].count;
  },
  async stop() {
    await utils.release();
    await reading.end();
  },
});
