import { DBOS } from '@dbos-inc/dbos-sdk';
import { fetchJoke } from '../peer/fetch-joke.mjs';
import { serve } from '../peer/serve.mjs';

/** Five attempts with waits of 2, 4, 8 and 16 s. Holdfast's maximum of 300 s, which DBOS lacks, is longer. */
const retries = { retriesAllowed: true, maxAttempts: 5, intervalSeconds: 2, backoffRate: 2 };

DBOS.registerWorkflow(() => DBOS.runStep(fetchJoke, { name: 'fetchJoke', ...retries }), { name: 'fetch-joke' });

DBOS.setConfig({ name: 'fetch-joke', systemDatabaseUrl: process.env.STORE_URL });
await DBOS.launch();
/** A poll starts at most ten tasks, so the default of 1 s is slow. Polling every 1 ms is no faster than every 10 ms. */
await DBOS.registerQueue('fetch-joke', { workerConcurrency: 10, minPollingIntervalMs: 10 });

serve({ stop: () => DBOS.shutdown() });
