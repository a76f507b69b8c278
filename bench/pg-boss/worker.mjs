import { PgBoss } from 'pg-boss';
import { fetchJoke } from '../peer/fetch-joke.mjs';
import { serve } from '../peer/serve.mjs';
import { queue, queueOptions } from './queue.mjs';

const boss = new PgBoss(process.env.STORE_URL);
boss.on('error', console.error);
await boss.start();
await boss.createQueue(queue, queueOptions);

/** Ten workers each run one job at a time. Each worker fetches 50 jobs at once, which saves round trips. */
const options = {
  localConcurrency: 10,
  batchSize: 50,
  burstWhenBatchFull: true,
  pollingIntervalSeconds: 0.5,
  perJobResults: true,
};

await boss.work(queue, options, async (jobs) => {
  const results = [];
  for (const { id } of jobs) {
    try {
      results.push({ id, status: 'completed', output: await fetchJoke() });
    } catch (error) {
      results.push({ id, status: 'failed', output: { message: error.message } });
    }
  }
  return results;
});

serve({ stop: () => boss.stop() });
