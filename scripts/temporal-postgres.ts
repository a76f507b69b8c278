import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createEnding } from '../cli/ending.ts';
import { SetupError } from '../cli/setup-error.ts';
import { type Postgres, startPostgres } from '../local/databases/postgres.ts';
import { type Guarded, startGuarded } from '../local/processes/guarded.ts';
import { identify } from '../local/processes/process-identity.ts';
import { acquireLock, type Lock } from '../local/start/lock.ts';
import { checkPorts } from '../local/start/ports.ts';
import { prepareTemporal } from '../local/temporal/embedded-temporal.ts';
import { prepareSchema } from '../local/temporal-postgres/schema.ts';
import { type Services, toServerConfig } from '../local/temporal-postgres/server-config.ts';
import { obtainTemporalServer } from '../local/temporal-postgres/temporal-server.ts';
import { untilUsable } from '../local/temporal-postgres/until-usable.ts';
import { loadConfigOrExit } from '../src/config/config.ts';

const say = (line: string) => console.log(line);
const { embedded, temporal, dataDir } = loadConfigOrExit();
const ending = createEnding(say);
const signal = ending.asked;
const home = join(resolve(dataDir), 'temporal-postgres');
let lock: Lock | undefined;
let postgres: Postgres | undefined;
let server: Guarded | undefined;

/** The services of the last start; undefined at the first. */
const readServices = (configFile: string): Promise<Services | undefined> =>
  readFile(configFile, 'utf8').then(
    (text) => JSON.parse(text).services,
    () => undefined,
  );

/** The production server on a PostgreSQL of its own, until it is told to end or one of the two dies. */
async function run() {
  if (!embedded)
    throw new SetupError(
      'TEMPORAL_ADDRESS names another server: unset it; EMBEDDED_TEMPORAL_PORT is the port of this one.',
    );
  const { port, retentionDays } = embedded;
  lock = await acquireLock(home, { say });
  const ports = [{ variable: 'EMBEDDED_TEMPORAL_PORT', port, host: '127.0.0.1' }];
  await checkPorts(ports);
  const executables = await obtainTemporalServer({ say, signal });
  postgres = await startPostgres({ directory: join(home, 'postgres'), say, signal });
  say(`${postgres.version} on 127.0.0.1:${postgres.port}, its files in ${join(home, 'postgres')}`);
  await prepareSchema(executables.sqlTool, postgres, signal);

  await mkdir(join(home, 'config'), { recursive: true });
  // JSON is YAML; the password in it is for our own user's eyes.
  const configFile = join(home, 'config', 'holdfast.yaml');
  const before = await readServices(configFile);
  const config = JSON.stringify(await toServerConfig({ postgres, port, before }), undefined, 2);
  await writeFile(configFile, config, { mode: 0o600 });
  await checkPorts(ports);
  const logFile = join(home, 'temporal.log');
  server = await startGuarded({
    command: executables.server,
    args: ['--root', home, '--env', 'holdfast', '--allow-no-auth', 'start'],
    cwd: home,
    logFile,
  });
  // A later start ends them, should all of us be killed at once.
  const toRecord = (name: string, stage: number, pid: number) => {
    const identity = identify(pid);
    return identity ? [{ ...identity, name, stage }] : [];
  };
  lock.record([...toRecord('PostgreSQL', 0, postgres.pid), ...toRecord('Temporal', 1, server.pid)]);
  const watch = setInterval(() => {
    if (!server?.isAlive()) ending.end(1, `The Temporal server ended by itself: see ${logFile}`);
    else if (!postgres?.isAlive()) ending.end(1, `PostgreSQL ended by itself: see ${postgres?.logFile}`);
  }, 500);
  try {
    await prepareTemporal(temporal, retentionDays, signal);
    await untilUsable(temporal, signal);
    say(`\nThe Temporal server is ready; its log is ${logFile}`);
    say(`In another shell: TEMPORAL_ADDRESS=${temporal.address} npm start`);
    say('Ctrl-C stops the server and its database; all data are kept.\n');
    if (!signal.aborted) await once(signal, 'abort');
  } finally {
    clearInterval(watch);
  }
}

try {
  await run();
} catch (error) {
  ending.fail(error);
}
await server?.stop();
await postgres?.stop();
lock?.release();
if (server) say('Stopped.');
ending.exit();
