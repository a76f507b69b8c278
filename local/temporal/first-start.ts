import { closeSync, existsSync, fsyncSync, linkSync, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Connection } from '@temporalio/client';
import type { Say } from '../../cli/progress.ts';
import { SetupError } from '../../cli/setup-error.ts';
import { until } from '../../cli/until.ts';
import { isMarked, toDatabasePath } from '../../src/embedded/database.ts';
import { startGuarded } from '../processes/guarded.ts';
import { findFreePort } from '../processes/ports.ts';
import type { ChildSpec } from '../processes/spawn-child.ts';
import { refuseDatabaseInUse } from './database-users.ts';
import { channelArgs, isServing } from './prepare-temporal.ts';

const prefix = 'new-database-';
/** A server needs a second to write the schema, and a few on a busy machine. */
const upWithinMs = 30_000;

type ToServer = (directory: string, port: number) => Promise<ChildSpec>;
type NewDatabase = { directory: string; dataDir: string; toServer: ToServer; signal: AbortSignal };

/** Lets the server write its schema to a database in `directory`, and stops the server. */
async function writeSchema({ directory, toServer, signal }: NewDatabase) {
  const port = await findFreePort();
  const { command, args, env, cwd } = await toServer(directory, port);
  const logFile = join(directory, 'server.log');
  const server = await startGuarded({ command, args, logFile, ...(env && { env }), ...(cwd && { cwd }) });
  const connection = Connection.lazy({ address: `127.0.0.1:${port}`, channelArgs });
  try {
    const onTimeout = () => `the server does not serve after ${upWithinMs / 1_000} s`;
    // The server serves after it has written the schema.
    const isUp = () => {
      if (!server.isAlive()) throw new SetupError('the server ended');
      return isServing(connection);
    };
    await until(isUp, { withinMs: upWithinMs, everyMs: 50, signal, onTimeout });
  } finally {
    await connection.close();
    await server.stop();
  }
}

async function dropIndexes({ directory, signal }: NewDatabase) {
  const path = toDatabasePath(directory);
  refuseDatabaseInUse(path);
  // Loaded only here, because most starts do not need it.
  const { dropInChild } = await import('./unused-indexes.ts');
  await dropInChild(path, signal);
}

const syncToDisk = (path: string) => {
  const descriptor = openSync(path, 'r');
  fsyncSync(descriptor);
  closeSync(descriptor);
};

/** Puts the database into DATA_DIR in one step. Fails if DATA_DIR has a database meanwhile. */
function moveIntoPlace({ directory, dataDir }: NewDatabase) {
  const [from, to] = [toDatabasePath(directory), toDatabasePath(dataDir)];
  if (existsSync(`${from}-wal`)) throw new Error('its write-ahead log is not written back');
  syncToDisk(from);
  linkSync(from, to);
  syncToDisk(dirname(to));
}

/** The steps that make the database of a new DATA_DIR. A kill -9 at any time leaves either no database or all of it. */
export const steps = [writeSchema, dropIndexes, moveIntoPlace];

/** Removes what killed starts left. What cannot be removed does no harm, and the next start tries again. */
function removeLeftovers(dataDir: string) {
  try {
    for (const name of readdirSync(dataDir))
      if (name.startsWith(prefix)) rmSync(join(dataDir, name), { recursive: true, force: true });
  } catch {}
}

/**
 * If DATA_DIR is new, creates a database in it that has no unused indexes. A server writes the schema and is stopped.
 * The database has then never been served. Does nothing if DATA_DIR had a database before, even one that is lost now.
 * If a step fails, DATA_DIR stays as it is, and the server will create a database with all indexes.
 */
export async function prepareNewDatabase(
  dataDir: string,
  { toServer, say, signal }: { toServer: ToServer; say: Say; signal: AbortSignal },
): Promise<void> {
  removeLeftovers(dataDir);
  const path = toDatabasePath(dataDir);
  if (isMarked(dataDir) || existsSync(path) || existsSync(`${path}-wal`)) return;
  try {
    const directory = mkdtempSync(join(resolve(dataDir), prefix));
    for (const step of steps) await step({ directory, dataDir, toServer, signal });
  } catch (error) {
    signal.throwIfAborted();
    const why = error instanceof Error ? error.message : error;
    say(`The new database cannot be tuned (${why}). It keeps all indexes, so tasks run more slowly.`);
  } finally {
    removeLeftovers(dataDir);
  }
}
