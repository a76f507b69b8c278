import type { StartContender } from '../contender.ts';
import { orSkipped, startNodePeer } from '../peer/node-peer.ts';
import { startPostgresStore } from '../peer/postgres-store.ts';

/** Starts pg-boss with its own PostgreSQL. */
export const startPgBoss: StartContender = (scene) =>
  orSkipped(
    startNodePeer(scene, {
      name: 'pg-boss',
      home: import.meta.url,
      packages: ['pg-boss'],
      startStore: startPostgresStore,
    }),
  );
