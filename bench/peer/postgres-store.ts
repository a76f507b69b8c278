import { startPostgres } from '../../local/databases/postgres.ts';
import type { Store } from './node-peer.ts';

export const postgresStorage = 'PostgreSQL, fsync and synchronous_commit on: a power cut loses nothing';

/** Starts a PostgreSQL for one peer alone, so that the server's CPU seconds count for that peer. */
export async function startPostgresStore(options: Parameters<typeof startPostgres>[0]): Promise<Store> {
  const { toUrl, pid, version, stop } = await startPostgres(options);
  return { url: toUrl(), pid, version, storage: postgresStorage, stop };
}
