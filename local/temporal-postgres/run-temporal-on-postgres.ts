import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Ending } from '../../cli/ending.ts';
import type { Say } from '../../cli/progress.ts';
import { SetupError } from '../../cli/setup-error.ts';
import type { Config } from '../../src/config/config.ts';
import { type Postgres, startPostgres } from '../databases/postgres.ts';
import { type Guarded, startGuarded } from '../processes/guarded.ts';
import { identify } from '../processes/process-identity.ts';
import { acquireLock } from '../start/lock.ts';
import { checkPorts } from '../start/ports.ts';
import { prepareTemporal } from '../temporal/embedded-temporal.ts';
import { prepareSchema } from './schema.ts';
import { type Services, toServerConfig } from './server-config.ts';
import { obtainTemporalServer } from './temporal-server.ts';
import { waitUntilUsable } from './wait-until-usable.ts';

type Options = { say: Say; ending: Ending };

/** Returns the services in `configFile`, which the last start wrote, or undefined if the file cannot be read. */
const readServices = (configFile: string): Promise<Services | undefined> =>
  readFile(configFile, 'utf8').then(
    (text) => JSON.parse(text).services,
    () => undefined,
  );

/** Writes the server's configuration and starts the server. Resolves before the server is ready. */
async function startServer(executable: string, home: string, postgres: Postgres, port: number): Promise<Guarded> {
  await mkdir(join(home, 'config'), { recursive: true });
  // The server reads YAML, and JSON is valid YAML. The file contains the password, so only this user may read it.
  const configFile = join(home, 'config', 'holdfast.yaml');
  const before = await readServices(configFile);
  const config = JSON.stringify(await toServerConfig({ postgres, port, before }), undefined, 2);
  await writeFile(configFile, config, { mode: 0o600 });
  return await startGuarded({
    command: executable,
    args: ['--root', home, '--env', 'holdfast', '--allow-no-auth', 'start'],
    cwd: home,
    logFile: join(home, 'temporal.log'),
  });
}

const toRecord = (name: string, stage: number, pid: number) => {
  const identity = identify(pid);
  return identity ? [{ ...identity, name, stage }] : [];
};

/**
 * Runs the production Temporal server with its own PostgreSQL, until `ending` asks it to end or either server ends by
 * itself. Keeps all data in DATA_DIR. Errors of the start are passed to `ending`.
 * @throws {SetupError} if another server is configured, or if another process holds the lock.
 */
export async function runTemporalOnPostgres({ embedded, temporal, dataDir }: Config, { say, ending }: Options) {
  if (!embedded)
    throw new SetupError(
      'TEMPORAL_ADDRESS names another server: unset it. EMBEDDED_TEMPORAL_PORT is the port of this one.',
    );
  const signal = ending.asked;
  const home = join(resolve(dataDir), 'temporal-postgres');
  const logFile = join(home, 'temporal.log');
  const ports = [{ variable: 'EMBEDDED_TEMPORAL_PORT', port: embedded.port, host: '127.0.0.1' }];
  const lock = await acquireLock(home, { say });
  let postgres: Postgres | undefined;
  let server: Guarded | undefined;
  const watch = setInterval(() => {
    if (server?.isAlive() === false) ending.end(1, `The Temporal server ended by itself. Its log is ${logFile}`);
    else if (postgres?.isAlive() === false) ending.end(1, `PostgreSQL ended by itself. Its log is ${postgres.logFile}`);
  }, 500);
  try {
    await checkPorts(ports);
    const executables = await obtainTemporalServer({ say, signal });
    postgres = await startPostgres({ directory: join(home, 'postgres'), say, signal });
    say(`${postgres.version} listens on 127.0.0.1:${postgres.port}. Its files are in ${join(home, 'postgres')}`);
    await prepareSchema(executables.sqlTool, postgres, signal);
    await checkPorts(ports);
    server = await startServer(executables.server, home, postgres, embedded.port);
    // Record both servers: if this process and the guarding shells are killed, the next start can end the servers.
    lock.record([...toRecord('PostgreSQL', 0, postgres.pid), ...toRecord('Temporal', 1, server.pid)]);
    await prepareTemporal(temporal, embedded.retentionDays, signal);
    await waitUntilUsable(temporal, signal);
    say(`\nThe Temporal server is ready. Its log is ${logFile}`);
    say(`In another shell: TEMPORAL_ADDRESS=${temporal.address} npm start`);
    say('Ctrl-C stops the server and its database and keeps all data.\n');
    if (!signal.aborted) await once(signal, 'abort');
  } catch (error) {
    // Show the error now, because stopping both servers can take long.
    ending.fail(error);
  }
  clearInterval(watch);
  await server?.stop();
  await postgres?.stop();
  lock.release();
  if (server) say('Stopped.');
}
