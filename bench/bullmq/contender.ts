import { startRedis } from '../../local/databases/redis.ts';
import type { StartContender } from '../contender.ts';
import { orSkipped, startNodePeer } from '../peer/node-peer.ts';

/** Starts BullMQ with its own Redis. */
export const startBullmq: StartContender = (scene) =>
  orSkipped(
    startNodePeer(scene, {
      name: 'BullMQ',
      home: import.meta.url,
      packages: ['bullmq', 'ioredis'],
      startStore: startRedis,
    }),
  );
