import { fileURLToPath } from 'node:url';
import { findFreePort } from '../../src/free-port.ts';
import type { Postgres } from '../servers/postgres.ts';
import { databases } from './schema.ts';

/** What docker-compose.yml mounts into its server. */
const dynamicConfig = fileURLToPath(new URL('../../deploy/temporal-dynamic-config.yaml', import.meta.url));

/**
 * Can never be changed for a database. A shard writes one thing at a time, so there are many more than one machine has cores to fill;
 * each costs the server some memory and polling, so not the 512 and more of a cluster.
 */
const historyShards = 64;

/** The server's static configuration: all four services in one process on loopback, nothing archived, no metrics. */
export async function toServerConfig({ postgres, port }: { postgres: Postgres; port: number }) {
  const sql = (databaseName: string, connections: number) => ({
    sql: {
      pluginName: 'postgres12',
      databaseName,
      connectAddr: `127.0.0.1:${postgres.port}`,
      connectProtocol: 'tcp',
      user: 'postgres',
      password: postgres.password,
      maxConns: connections,
      maxIdleConns: connections,
      maxConnLifetime: '1h',
    },
  });
  const service = async (grpcPort?: number) => ({
    rpc: { grpcPort: grpcPort ?? (await findFreePort()), membershipPort: await findFreePort(), bindOnLocalHost: true },
  });
  const off = { state: 'disabled' };
  return {
    log: { stdout: true, level: 'warn' },
    persistence: {
      defaultStore: 'default',
      visibilityStore: 'visibility',
      numHistoryShards: historyShards,
      // Each service has a pool of its own; PostgreSQL allows 100 connections.
      datastores: { default: sql(databases.default, 15), visibility: sql(databases.visibility, 5) },
    },
    global: { membership: { maxJoinDuration: '30s', broadcastAddress: '127.0.0.1' } },
    services: {
      frontend: await service(port),
      history: await service(),
      matching: await service(),
      worker: await service(),
    },
    clusterMetadata: {
      enableGlobalNamespace: false,
      failoverVersionIncrement: 10,
      masterClusterName: 'active',
      currentClusterName: 'active',
      clusterInformation: {
        active: { enabled: true, initialFailoverVersion: 1, rpcName: 'frontend', rpcAddress: `127.0.0.1:${port}` },
      },
    },
    dcRedirectionPolicy: { policy: 'noop' },
    archival: { history: off, visibility: off },
    namespaceDefaults: { archival: { history: off, visibility: off } },
    dynamicConfigClient: { filepath: dynamicConfig, pollInterval: '60s' },
  };
}
