import { DBOS } from '@dbos-inc/dbos-sdk';
import { fetchJoke } from '../peer/fetch-joke.mjs';
import { serve } from '../peer/serve.mjs';

/** Five attempts, waits of 2, 4, 8 and 16 s; a cap of the waits cannot be said, and is not reached. */
const retries = { retriesAllowed: true, maxAttempts: 5, intervalSeconds: 2, backoffRate: 2 };

DBOS.registerWorkflow(() => DBOS.runStep(fetchJoke, { name: 'fetchJoke', ...retries }), { name: 'fetch-joke' });

DBOS.setConfig({ name: 'fetch-joke', systemDatabaseUrl: process.env.STORE_URL });
await DBOS.launch();
/** A poll starts ten at most: at the default interval of a second the rate would be ten a second. Below 10 ms it gains nothing. */
await DBOS.registerQueue('fetch-joke', { workerConcurrency: 10, minPollingIntervalMs: 10 });

serve({ stop: () => DBOS.shutdown() });
