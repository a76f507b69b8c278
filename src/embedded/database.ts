import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const databaseFile = 'temporal.db';

/** Returns the path of the embedded server's database. Its write-ahead log has the same path, followed by `-wal`. */
export const toDatabasePath = (dataDir: string) => join(resolve(dataDir), databaseFile);

/**
 * The marker is a file beside the database. It exists if a server has used the database. It has the inode of the
 * database and the versions of servers. The server never removes the write-ahead log, even if it ends cleanly. So a
 * missing log means a loss.
 */
const toMarkerPath = (dataDir: string) => `${toDatabasePath(dataDir)}.json`;

const readInode = (path: string) => statSync(path, { throwIfNoEntry: false })?.ino;

/** The versions of the Temporal server that created the tables of the database, and of the one that used it last. */
type Servers = { createdBy?: string; usedBy?: string };

/** Reads the marker. A marker of an older Holdfast names no server. */
export function readMarker(dataDir: string): ({ inode?: number } & Servers) | undefined {
  try {
    return JSON.parse(readFileSync(toMarkerPath(dataDir), 'utf8'));
  } catch (error) {
    // A power cut may leave an incomplete marker. It still says that there was a database.
    return error instanceof SyntaxError ? {} : undefined;
  }
}

/** Returns whether a server has ever used the database of `dataDir`. */
export const isMarked = (dataDir: string) => readMarker(dataDir) !== undefined;

/** Writes the marker. Call this after the server has begun to serve, because all its files exist then. */
export function markDatabase(dataDir: string, servers: Servers = {}): void {
  const marker = { inode: readInode(toDatabasePath(dataDir)), ...servers };
  writeFileSync(toMarkerPath(dataDir), `${JSON.stringify(marker)}\n`);
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
