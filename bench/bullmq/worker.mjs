import { Worker } from 'bullmq';
import IORedis from 'ioredis';
import { fetchJoke } from '../peer/fetch-joke.mjs';
import { serve } from '../peer/serve.mjs';

const connection = new IORedis(process.env.STORE_URL, { maxRetriesPerRequest: null });
const worker = new Worker('fetch-joke', fetchJoke, { connection, concurrency: 10 });
worker.on('error', console.error);
await worker.waitUntilReady();

serve({ stop: () => worker.close() });
