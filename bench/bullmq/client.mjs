import { Queue } from 'bullmq';
import IORedis from 'ioredis';
import { executeAll, serve, submitAll } from '../peer/serve.mjs';

const connection = new IORedis(process.env.STORE_URL);

/** Five attempts with waits of 2, 4, 8 and 16 s. Holdfast's maximum of 300 s, which BullMQ lacks, is longer. */
const defaultJobOptions = { attempts: 5, backoff: { type: 'exponential', delay: 2_000 } };
const queue = new Queue('fetch-joke', { connection, defaultJobOptions });
await queue.waitUntilReady();

serve({
  submit: (count, atOnce) => submitAll(() => queue.add('fetch-joke', {}), count, atOnce),
  execute: (count) =>
    executeAll(
      count,
      () => queue.add('fetch-joke', {}),
      (job) => job.isCompleted(),
    ),
  completed: () => queue.getCompletedCount(),
  stop: () => queue.close(),
});
