import { run } from 'graphile-worker';
import { fetchJoke } from '../peer/fetch-joke.mjs';
import { serve } from '../peer/serve.mjs';

const runner = await run({
  preset: {
    worker: {
      connectionString: process.env.STORE_URL,
      concurrentJobs: 10,
      maxPoolSize: 12,
      localQueue: { size: 100 },
      completeJobBatchDelay: 0,
      failJobBatchDelay: 0,
    },
  },
  taskList: { 'fetch-joke': fetchJoke },
  noHandleSignals: true,
});

serve({ stop: () => runner.stop() });
