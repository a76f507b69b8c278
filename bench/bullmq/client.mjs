import { Queue } from 'bullmq';
import IORedis from 'ioredis';
import { serve, submitAll } from '../peer/serve.mjs';

const connection = new IORedis(process.env.STORE_URL);

/** Five attempts with waits of 2, 4, 8 and 16 s. BullMQ has no maximum wait, but none reaches Holdfast's 300 s. */
const defaultJobOptions = { attempts: 5, backoff: { type: 'exponential', delay: 2_000 } };
const queue = new Queue('fetch-joke', { connection, defaultJobOptions });
await queue.waitUntilReady();

serve({
  submit: (count, atOnce) => submitAll(() => queue.add('fetch-joke', {}), count, atOnce),
  completed: () => queue.getCompletedCount(),
  stop: () => queue.close(),
});
