import { databaseFile } from '../../src/embedded/database.ts';
import type { TemporalProgram } from '../obtain/temporal.ts';
import { toBasicEnvironment } from '../processes/child-environment.ts';
import type { ChildSpec } from '../processes/spawn-child.ts';
import { toDynamicConfigFlags } from './dynamic-config.ts';
import { configDirectory, type Stores, writeConfig, writeServerConfig } from './server-config.ts';
import type { WebUi } from './web-ui.ts';

type Where = {
  /** The directory of the database, in which the server runs. It must exist. */
  directory: string;
  port: number;
  namespace: string;
  /** If true, the server keeps nothing on disk. */
  inMemory?: boolean;
  /** If true, the server only has to write its schema. Temporal's own server then runs its frontend only. */
  schemaOnly?: boolean;
  /** Where the Web UI listens. Without it, there is no Web UI. */
  webUi?: WebUi['address'];
};

// Go collects garbage when the heap is five times as large as after the last collection, not twice (Go's default). The
// server then completes 10 % more tasks per second. GOMEMLIMIT bounds the memory that this costs: near the limit, Go
// collects more often.
const goMemory = { GOGC: '400', GOMEMLIMIT: '180MiB' };

/** How SQLite writes. With WAL and `synchronous=NORMAL`, kill -9 of any process loses no accepted task. */
const pragmas = { journal_mode: 'wal', synchronous: 'normal' };

const toFlags = ({ port, namespace, inMemory, webUi }: Where) => [
  ...['server', 'start-dev', '--log-level', 'error', '--namespace', namespace],
  ...['--ip', '127.0.0.1', '--port', `${port}`],
  ...(webUi ? ['--ui-ip', webUi.host, '--ui-port', `${webUi.port}`] : ['--headless']),
  ...(inMemory ? [] : ['--db-filename', databaseFile]),
  ...(inMemory ? [] : Object.entries(pragmas).flatMap(([name, value]) => ['--sqlite-pragma', `${name}=${value}`])),
  ...toDynamicConfigFlags(),
];

/** Returns SQLite stores as `start-dev` has them: one file with one history shard, which the server creates. */
function toStores({ inMemory }: Where): Stores {
  const connectAttributes = inMemory
    ? { mode: 'memory', cache: 'shared' }
    : { cache: 'private', setup: 'true', ...pragmas };
  // The server requires an address, which SQLite does not use.
  const address = { connectAddr: 'localhost', connectProtocol: 'tcp' };
  const sql = { pluginName: 'sqlite', databaseName: databaseFile, connectAttributes, maxConns: 1, ...address };
  return { numHistoryShards: 1, datastores: { default: { sql }, visibility: { sql } } };
}

/**
 * Returns how to start the embedded server: a Temporal server with SQLite. A power cut may lose the tasks of the last
 * moments. Temporal's own server gets its configuration from files, which this function writes.
 */
export async function temporalServer(program: TemporalProgram, where: Where) {
  const { directory, port } = where;
  const services = where.schemaOnly ? ['--service', 'frontend'] : [];
  const args = program.webUi
    ? [...(await writeServerConfig({ directory, port, stores: toStores(where), logLevel: 'error' })), ...services]
    : toFlags(where);
  return {
    name: 'Temporal',
    command: program.path,
    args,
    // The server puts the file name into a URL. DATA_DIR may have characters that break URLs, so the name is relative.
    cwd: directory,
    env: { ...goMemory, ...toBasicEnvironment(process.env) },
    stopWithinMs: 10_000,
    foreign: true,
  } satisfies ChildSpec;
}

/** Returns how to start the server of the Web UI at `where.webUi`. Returns nothing if Temporal serves the Web UI. */
export async function webUiServer({ webUi: command }: TemporalProgram, where: Where): Promise<ChildSpec[]> {
  const { directory, port, namespace, webUi } = where;
  if (!command || !webUi) return [];
  await writeConfig(directory, 'web-ui', {
    ...webUi,
    temporalGrpcAddress: `127.0.0.1:${port}`,
    defaultNamespace: namespace,
    enableUi: true,
    disableNewsFetch: true,
    hideLogs: true,
    // Browsers send a `Secure` cookie over plain HTTP only to some hosts.
    cors: { cookieInsecure: true },
  });
  const args = ['--root', '.', '--config', configDirectory, '--env', 'web-ui', 'start'];
  const env = toBasicEnvironment(process.env);
  const onErrorLine = (line: string) => (line.includes('Loading config') ? '' : line);
  return [{ name: 'Web UI', command, args, cwd: directory, env, stopWithinMs: 5_000, foreign: true, onErrorLine }];
}
