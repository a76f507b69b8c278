import type { StartContender } from '../contender.ts';
import { orSkipped, startNodePeer } from '../peer/node-peer.ts';
import { startPostgresStore } from '../peer/postgres-store.ts';

/** Starts DBOS Transact with its own PostgreSQL. */
export const startDbos: StartContender = (scene) =>
  orSkipped(
    startNodePeer(scene, {
      name: 'DBOS',
      home: import.meta.url,
      packages: ['@dbos-inc/dbos-sdk'],
      startStore: startPostgresStore,
    }),
  );
