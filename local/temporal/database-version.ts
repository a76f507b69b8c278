import { existsSync } from 'node:fs';
import { SetupError } from '../../cli/setup-error.ts';
import { readCreator, readMarker, recordCreator, toDatabasePath } from '../../src/embedded/database.ts';
import type { TemporalProgram } from '../obtain/temporal.ts';

/** The server that earlier versions of Holdfast obtained. They did not record it. */
const unrecorded = '1.29.1';

/** Returns whether the first version is an older minor version than the second. Patches change no tables. */
function isOlder(first: string, second: string): boolean {
  const [[major = 0, minor = 0] = [], [otherMajor = 0, otherMinor = 0] = []] = [first, second].map((version) =>
    version.split('.').map(Number),
  );
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}

/** The first server that has standalone activities. */
const withActivities = '1.32.0';

/**
 * Checks that the server may use the database of DATA_DIR. If there is no database yet, records that this server
 * creates it. A database of a server before 1.32 lacks tables. Its tasks run, but a submission with a key fails. The
 * server cannot look for a standalone activity with that id. An older server may not understand what a newer one wrote.
 * @throws {SetupError} if an older server created the database, or a newer one has used it.
 */
export function checkDatabaseVersion(dataDir: string, { path, version }: TemporalProgram): void {
  if (!existsSync(toDatabasePath(dataDir))) recordCreator(dataDir, version);
  const createdBy = readCreator(dataDir) ?? unrecorded;
  const { usedBy } = readMarker(dataDir) ?? {};
  if (usedBy && isOlder(version, usedBy))
    throw new SetupError(
      `Temporal server ${usedBy} has used DATA_DIR ${dataDir}, and ${path} is server ${version}: update it, or set DATA_DIR to another directory.`,
    );
  if (isOlder(createdBy, withActivities) && !isOlder(version, withActivities))
    throw new SetupError(
      `Temporal server ${createdBy} created the database of DATA_DIR ${dataDir}, which server ${version} cannot use fully: let an earlier Holdfast finish its tasks, and set DATA_DIR to another directory.`,
    );
}
