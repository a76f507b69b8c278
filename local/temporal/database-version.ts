import { existsSync } from 'node:fs';
import { SetupError } from '../../cli/setup-error.ts';
import type { Config } from '../../src/config/config.ts';
import { readMarker, toDatabasePath } from '../../src/embedded/database.ts';
import type { TemporalProgram } from '../obtain/temporal.ts';

/** The server that earlier versions of Holdfast obtained. They did not record it. */
const unrecorded = '1.29.1';

/** Returns whether the first version has an older minor version than the second. Patches change no tables. */
function isOlder(first: string, second: string): boolean {
  const [[major = 0, minor = 0] = [], [otherMajor = 0, otherMinor = 0] = []] = [first, second].map((version) =>
    version.split('.').map(Number),
  );
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}

/** The first server that has standalone activities. */
const withActivities = '1.32.0';

/**
 * Checks that the server may use the database of DATA_DIR. A newer server works with the tables of an older one. An
 * older server may not understand what a newer one wrote. Returns the servers to record in the marker.
 * @throws {SetupError} if a newer server has used the database, or if it lacks the tables that ENGINE needs.
 */
export function checkDatabaseVersion(
  { dataDir, engine }: Pick<Config, 'dataDir' | 'engine'>,
  { path, version }: TemporalProgram,
) {
  const marker = existsSync(toDatabasePath(dataDir)) ? readMarker(dataDir) : undefined;
  const { createdBy = unrecorded, usedBy } = marker ?? { createdBy: version };
  if (usedBy && isOlder(version, usedBy))
    throw new SetupError(
      `Temporal server ${usedBy} has used DATA_DIR ${dataDir}, and ${path} is server ${version}: update it, or set DATA_DIR to another directory.`,
    );
  if (engine === 'activity' && isOlder(createdBy, withActivities))
    throw new SetupError(
      `ENGINE=activity needs a database of Temporal server ${withActivities}, and server ${createdBy} created that of DATA_DIR ${dataDir}: set ENGINE=workflow, or DATA_DIR to another directory.`,
    );
  return { createdBy, usedBy: version };
}
