import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const databaseFile = 'temporal.db';

/** Returns the path of the embedded server's database. Its write-ahead log has the same path, followed by `-wal`. */
export const toDatabasePath = (dataDir: string) => join(resolve(dataDir), databaseFile);

/**
 * The marker is a file beside the database. It exists if a server has used the database. It has the inode of the
 * database and the version of the server that used it last. The server never removes the write-ahead log, even if it
 * ends cleanly. So a missing log means a loss.
 */
const toMarkerPath = (dataDir: string) => `${toDatabasePath(dataDir)}.json`;

const readInode = (path: string) => statSync(path, { throwIfNoEntry: false })?.ino;

/**
 * Names the Temporal server that creates the tables of the database. It is written before there is a database, so that
 * a kill -9 leaves no database without it.
 */
const toCreatorPath = (dataDir: string) => `${toDatabasePath(dataDir)}.creator`;

export const recordCreator = (dataDir: string, version: string) => writeFileSync(toCreatorPath(dataDir), version);

/** Returns the version of the server that created the database, or `undefined` if an older Holdfast did not record it. */
export const readCreator = (dataDir: string): string | undefined =>
  (existsSync(toCreatorPath(dataDir)) && readFileSync(toCreatorPath(dataDir), 'utf8')) || undefined;

/** Reads the marker. A marker of an older Holdfast names no server. */
export function readMarker(dataDir: string): { inode?: number; usedBy?: string } | undefined {
  try {
    return JSON.parse(readFileSync(toMarkerPath(dataDir), 'utf8'));
  } catch (error) {
    // A power cut may leave an incomplete marker. It still says that there was a database.
    return error instanceof SyntaxError ? {} : undefined;
  }
}

/** Returns whether a server has ever used the database of `dataDir`. */
export const isMarked = (dataDir: string) => readMarker(dataDir) !== undefined;

/**
 * Writes the marker, with the version of the server that uses the database now. Call this after the server has begun to
 * serve, because all its files exist then. If the disk is full, the former marker stays.
 */
export function markDatabase(dataDir: string, usedBy?: string): void {
  const marker = { inode: readInode(toDatabasePath(dataDir)), usedBy };
  const path = toMarkerPath(dataDir);
  writeFileSync(`${path}.new`, `${JSON.stringify(marker)}\n`, { flush: true });
  renameSync(`${path}.new`, path);
}

/** Returns the path of the first missing or empty file of a marked database, or `undefined` if there is none. */
export function findLostFile(dataDir: string): string | undefined {
  if (!readMarker(dataDir)) return undefined;
  const path = toDatabasePath(dataDir);
  return [path, `${path}-wal`].find((file) => !statSync(file, { throwIfNoEntry: false })?.size);
}

/**
 * Creates a function that returns whether the database of the running server was removed or replaced. The server does
 * not notice that. It goes on with the removed file, and everything is lost when it ends. The function returns false if
 * this process has never seen the marker, because then the server has another DATA_DIR.
 */
export function createLossCheck(dataDir: string): () => boolean {
  let isMarked = false;
  return () => {
    const marker = readMarker(dataDir);
    isMarked ||= marker !== undefined;
    if (!isMarked) return false;
    const path = toDatabasePath(dataDir);
    const inode = readInode(path);
    return !marker || inode === undefined || inode !== (marker.inode ?? inode) || !existsSync(`${path}-wal`);
  };
}
