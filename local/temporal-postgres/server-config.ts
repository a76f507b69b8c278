import { fileURLToPath } from 'node:url';
import type { Postgres } from '../databases/postgres.ts';
import { findFreePort, isListening } from '../processes/ports.ts';
import { databases } from './schema.ts';

/** The path of the dynamic configuration. docker-compose.yml mounts the same file into its server. */
const dynamicConfig = fileURLToPath(new URL('../../deploy/temporal-dynamic-config.yaml', import.meta.url));

/**
 * The number of history shards, which cannot change after the database is created. A shard writes one transaction at a
 * time, so there are many more shards than cores. Each shard costs memory and polling, so there are fewer than the 512
 * of a cluster.
 */
const historyShards = 64;

type Rpc = { grpcPort: number; membershipPort: number };
export type Services = Record<'frontend' | 'history' | 'matching' | 'worker', { rpc: Rpc }>;

type Options = {
  postgres: Postgres;
  port: number;
  /**
   * The services of the last start, whose ports are used again. With other ports the server would first wait about
   * 10 s for itself at the old ports, which its database still lists.
   */
  before?: Services | undefined;
};

/** Returns the server's static configuration: four services in one process on loopback, no archival, no metrics. */
export async function toServerConfig({ postgres, port, before }: Options) {
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
  const keep = async (known: number | undefined) =>
    known && !(await isListening(known)) ? known : await findFreePort();
  const service = async (name: keyof Services, grpcPort?: number) => {
    const rpc = before?.[name]?.rpc;
    const ports = {
      grpcPort: grpcPort ?? (await keep(rpc?.grpcPort)),
      membershipPort: await keep(rpc?.membershipPort),
    };
    return { rpc: { ...ports, bindOnLocalHost: true } };
  };
  const off = { state: 'disabled' };
  return {
    log: { stdout: true, level: 'warn' },
    persistence: {
      defaultStore: 'default',
      visibilityStore: 'visibility',
      numHistoryShards: historyShards,
      // Each of the four services has its own pools. All pools together stay below PostgreSQL's 100 connections.
      datastores: { default: sql(databases.default, 15), visibility: sql(databases.visibility, 5) },
    },
    global: { membership: { maxJoinDuration: '30s', broadcastAddress: '127.0.0.1' } },
    services: {
      frontend: await service('frontend', port),
      history: await service('history'),
      matching: await service('matching'),
      worker: await service('worker'),
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
