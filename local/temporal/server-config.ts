import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findFreePort, isListening } from '../processes/ports.ts';
import { dynamicConfigFile } from './dynamic-config.ts';

type Rpc = { grpcPort: number; membershipPort: number };
type Services = Record<'frontend' | 'history' | 'matching' | 'worker', { rpc: Rpc }>;

/** The database of a server. The number of shards cannot change after the database is created. */
export type Stores = { numHistoryShards: number; datastores: Record<'default' | 'visibility', { sql: object }> };

/** The directory of the configuration files, in the directory in which a server runs. */
export const configDirectory = 'config';

/** Returns the services in `configFile`, which the last start wrote, or undefined if the file cannot be read. */
const readServices = (configFile: string): Promise<Services | undefined> =>
  readFile(configFile, 'utf8').then(
    (text) => JSON.parse(text).services,
    () => undefined,
  );

/**
 * Returns the ports of the four services. Uses the ports of the last start again. With other ports the server would
 * first wait about 10 s for itself at the old ports, which its database still lists.
 */
async function toServices(port: number, before: Services | undefined): Promise<Services> {
  const keep = async (known: number | undefined) =>
    known && known !== port && !(await isListening(known)) ? known : await findFreePort();
  const service = async (name: keyof Services, grpcPort?: number) => {
    const rpc = before?.[name]?.rpc;
    const ports = {
      grpcPort: grpcPort ?? (await keep(rpc?.grpcPort)),
      membershipPort: await keep(rpc?.membershipPort),
    };
    return { rpc: { ...ports, bindOnLocalHost: true } };
  };
  return {
    frontend: await service('frontend', port),
    history: await service('history'),
    matching: await service('matching'),
    worker: await service('worker'),
  };
}

/** Writes a configuration file that only this user may read. The servers read YAML, and JSON is valid YAML. */
export async function writeConfig(directory: string, name: string, config: object): Promise<string> {
  await mkdir(join(directory, configDirectory), { recursive: true });
  const file = join(configDirectory, `${name}.yaml`);
  await writeFile(join(directory, file), JSON.stringify(config, undefined, 2), { mode: 0o600 });
  return file;
}

type Options = { directory: string; port: number; stores: Stores; logLevel: 'warn' | 'error' };

/**
 * Writes the configuration of a Temporal server that runs in `directory`: four services in one process on loopback, no
 * HTTP API, no archival, no metrics. Returns the arguments for Temporal's server. It writes its log to stderr.
 */
export async function writeServerConfig({ directory, port, stores, logLevel }: Options): Promise<string[]> {
  const name = 'temporal';
  const before = await readServices(join(directory, configDirectory, `${name}.yaml`));
  const off = { state: 'disabled' };
  const file = await writeConfig(directory, name, {
    log: { stdout: false, level: logLevel },
    persistence: { defaultStore: 'default', visibilityStore: 'visibility', ...stores },
    global: { membership: { maxJoinDuration: '30s', broadcastAddress: '127.0.0.1' } },
    services: await toServices(port, before),
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
    dynamicConfigClient: { filepath: dynamicConfigFile, pollInterval: '60s' },
  });
  return ['--config-file', file, '--allow-no-auth', 'start'];
}
