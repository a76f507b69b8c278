import type { StartContender } from '../contender.ts';
import { orSkipped, startNodePeer } from '../peer/node-peer.ts';
import { startPostgresStore } from '../peer/postgres-store.ts';

/** Starts graphile-worker with its own PostgreSQL. */
export const startGraphileWorker: StartContender = (scene) =>
  orSkipped(
    startNodePeer(scene, {
      name: 'graphile-worker',
      home: import.meta.url,
      packages: ['graphile-worker'],
      startStore: startPostgresStore,
    }),
  );
