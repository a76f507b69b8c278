import { once } from 'node:events';
import { join, resolve } from 'node:path';
import type { Ending } from '../../cli/ending.ts';
import type { Say } from '../../cli/progress.ts';
import { SetupError } from '../../cli/setup-error.ts';
import type { Config } from '../../src/config/config.ts';
import { type Postgres, startPostgres } from '../databases/postgres.ts';
import { obtainTemporalServer } from '../obtain/temporal-builds.ts';
import { type Guarded, startGuarded } from '../processes/guarded.ts';
import { identify } from '../processes/process-identity.ts';
import { acquireLock } from '../start/lock.ts';
import { checkPorts } from '../start/ports.ts';
import { prepareTemporal } from '../temporal/prepare-temporal.ts';
import { writeServerConfig } from '../temporal/server-config.ts';
import { prepareSchema } from './schema.ts';
import { toStores } from './stores.ts';

type Options = { say: Say; ending: Ending };

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
    const stores = toStores(postgres);
    const args = await writeServerConfig({ directory: home, port: embedded.port, stores, logLevel: 'warn' });
    server = await startGuarded({ command: executables.server, args, cwd: home, logFile });
    // Record both servers: if this process and the guarding shells are killed, the next start can end the servers.
    lock.record([...toRecord('PostgreSQL', 0, postgres.pid), ...toRecord('Temporal', 1, server.pid)]);
    await prepareTemporal(temporal, embedded.retentionDays, signal);
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
