import type { Postgres } from '../databases/postgres.ts';
import type { Stores } from '../temporal/server-config.ts';
import { databases } from './schema.ts';

/**
 * A shard writes one transaction at a time, so there are many more shards than cores. Each shard costs memory and
 * polling, so there are fewer than the 512 of a cluster.
 */
const numHistoryShards = 64;

/** Returns the configuration of the server's databases in our PostgreSQL. It contains the password. */
export function toStores({ port, password }: Postgres): Stores {
  const store = (databaseName: string, connections: number) => ({
    sql: {
      pluginName: 'postgres12',
      databaseName,
      connectAddr: `127.0.0.1:${port}`,
      connectProtocol: 'tcp',
      user: 'postgres',
      password,
      maxConns: connections,
      maxIdleConns: connections,
      maxConnLifetime: '1h',
    },
  });
  // Each of the four services has its own pools. All pools together stay below PostgreSQL's 100 connections.
  const datastores = { default: store(databases.default, 15), visibility: store(databases.visibility, 5) };
  return { numHistoryShards, datastores };
}
