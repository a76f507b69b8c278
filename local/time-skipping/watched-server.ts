import { fileURLToPath } from 'node:url';

/** The script that runs a time-skipping server and ends it with whoever started it. */
export const watchedServer = fileURLToPath(new URL('./watched-server.sh', import.meta.url));
