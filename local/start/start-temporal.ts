import type { Say } from '../../cli/progress.ts';
import type { Config } from '../../src/config/config.ts';
import { findLostFile, markDatabase, toDatabasePath } from '../../src/embedded/database.ts';
import type { TemporalProgram } from '../obtain/temporal.ts';
import { refuseDatabaseInUse } from '../temporal/database-users.ts';
import { checkDatabaseVersion } from '../temporal/database-version.ts';
import { temporalServer, webUiServer } from '../temporal/embedded-temporal.ts';
import { prepareNewDatabase } from '../temporal/first-start.ts';
import { prepareTemporal } from '../temporal/prepare-temporal.ts';
import { createServerOutput } from '../temporal/server-output.ts';
import { guardWebUi } from '../temporal/web-ui.ts';
import type { Supervisor } from './supervise.ts';

type Options = { embedded: NonNullable<Config['embedded']>; supervisor: Supervisor; say: Say; signal: AbortSignal };

/**
 * Starts the embedded Temporal server and its Web UI. Resolves when the server accepts calls.
 * @throws {SetupError} if another server uses the database, if the server's version does not fit the database, or if
 *   the server does not serve in time.
 */
export async function startTemporal(
  program: TemporalProgram,
  config: Config,
  { embedded, supervisor, say, signal }: Options,
): Promise<void> {
  const { dataDir: directory, temporal } = config;
  refuseDatabaseInUse(toDatabasePath(directory));
  checkDatabaseVersion(directory, program);
  const { namespace } = temporal;
  const toServer = (place: string, port: number) =>
    temporalServer(program, { directory: place, port, namespace, schemaOnly: true });
  await prepareNewDatabase(directory, { toServer, say, signal });
  const webUi = await guardWebUi(embedded.uiPort);
  signal.addEventListener('abort', webUi.close);
  const { read, readLastError } = createServerOutput({ say, send: supervisor.send });
  const beforeRun = () => {
    const lost = findLostFile(directory);
    if (!lost) return;
    say(`*** ${lost} IS MISSING OR EMPTY: accepted tasks may be lost, finished ones may be open again ***`);
    say(`If Temporal cannot start without it, restore ${directory} from a copy, or remove it to begin empty.`);
  };
  // While the server stops, it logs errors that mean nothing.
  const onErrorLine = (line: string) => (signal.aborted ? '' : read(line));
  const where = { directory, port: embedded.port, namespace, webUi: webUi.address };
  supervisor.start({ ...(await temporalServer(program, where)), beforeRun, onErrorLine });
  await prepareTemporal(temporal, embedded.retentionDays, signal, readLastError);
  markDatabase(directory, program.version);
  supervisor.start(...(await webUiServer(program, where)));
}
