import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import sqlite from 'node-sqlite3-wasm';
import { nodeArguments } from '../../cli/node-arguments.ts';

const table = 'executions_visibility';

/**
 * Drops the indexes on search attributes. They are more than half of all indexes, and the server writes to each of them
 * three times for every task. Holdfast filters by none of them. The server itself adds a condition on
 * `TemporalNamespaceDivision` to every query. With its index, SQLite reads all executions to count those with given
 * ids. Without it, SQLite uses the index on the ids. Filters by a search attribute, for example in the Web UI, still
 * work, but read more rows. Afterwards the database is one file, without a write-ahead log, and lists no server.
 * Returns the names of the dropped indexes.
 *
 * The library ignores the locks of other processes, so no other process may use the database.
 * @throws {Error} if the database has no such index or is malformed.
 */
export function dropUnusedIndexes(path: string): string[] {
  const database = new sqlite.Database(path, { fileMustExist: true });
  try {
    // The library has no shared memory. SQLite needs none for the write-ahead log of an exclusive database.
    database.exec('PRAGMA locking_mode = EXCLUSIVE');
    const unused = findUnusedIndexes(database);
    if (unused.length === 0) throw new Error('it has no index that could be dropped');
    // The next server would wait about 10 s for the server that wrote the schema, which listened on other ports.
    const drops = unused.map((name) => `DROP INDEX ${name};`).join(' ');
    database.exec(`BEGIN; ${drops} DELETE FROM cluster_membership; COMMIT`);
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    const [fault] = database.all('PRAGMA quick_check').map(({ quick_check: text }) => text);
    if (fault !== 'ok') throw new Error(`it is malformed: ${fault}`);
    return unused;
  } finally {
    database.close();
  }
}

/** Returns the indexes whose own column is a search attribute. All indexes begin with the namespace. */
function findUnusedIndexes(database: sqlite.Database): string[] {
  const rows = database.all(
    `SELECT index_list.name FROM pragma_index_list('${table}') AS index_list, pragma_index_info(index_list.name) AS used
     JOIN pragma_table_xinfo('${table}') AS columns ON columns.cid = used.cid
     WHERE used.seqno = 1 AND columns.hidden IN (2, 3)`,
  );
  return rows.map(({ name }) => String(name));
}

const thisFile = fileURLToPath(import.meta.url);

/**
 * Calls `dropUnusedIndexes` in a child process. Otherwise `npm start` would keep the memory of SQLite, 50 MiB.
 * @throws {Error} with the message of `dropUnusedIndexes`.
 */
export async function dropInChild(path: string, signal: AbortSignal): Promise<void> {
  const options = { cancelSignal: signal, reject: false, stdin: 'ignore' } as const;
  const { failed, stderr } = await execa(process.execPath, [...nodeArguments(thisFile), path], options);
  signal.throwIfAborted();
  if (failed) throw new Error(stderr || 'the child process that drops indexes failed');
}

if (process.argv[1] === thisFile) {
  try {
    dropUnusedIndexes(process.argv[2] ?? '');
  } catch (error) {
    process.stderr.write(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
