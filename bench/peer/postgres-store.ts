import { startPostgres } from '../../local/databases/postgres.ts';
import type { Store } from './node-peer.ts';

export const postgresStorage = 'PostgreSQL, fsync and synchronous_commit on: a power cut loses nothing';

/** A PostgreSQL for one peer alone, so that its CPU seconds are that peer's. */
export async function startPostgresStore(options: { directory: string; signal: AbortSignal }): Promise<Store> {
  const { toUrl, pid, version, stop } = await startPostgres(options);
  return { url: toUrl(), pid, version, storage: postgresStorage, stop };
}
