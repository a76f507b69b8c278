import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, inject, test } from 'vitest';
import { nodeArguments } from '../../../cli/node-arguments.ts';
import { prepareNewDatabase, steps } from '../../../local/temporal/first-start.ts';
import { dropUnusedIndexes } from '../../../local/temporal/unused-indexes.ts';
import { markDatabase, toDatabasePath } from '../../../src/embedded/database.ts';
import { createNewDatabase } from '../../support/new-database.ts';
import { createDirectory, run } from '../../support/processes.ts';

const script = fileURLToPath(new URL('../../support/first-start.ts', import.meta.url));
const start = (root: string, count: number) =>
  run(process.execPath, [...nodeArguments(script), root, JSON.stringify(inject('temporal')), `${count}`]);

/** Starts in a DATA_DIR, which already has the directory of a killed start. Returns what the start said. */
async function prepare(root: string, program = inject('temporal')) {
  const { dataDir, toServer, signal } = createNewDatabase(root, program);
  const said: string[] = [];
  await prepareNewDatabase(dataDir, { toServer, signal, say: (line) => said.push(line) });
  return said;
}

test.each(steps.map((_, index) => [index + 1]))(
  'a start that was killed with -9 after step %i leaves no database or all of it, and the next start goes on',
  async (count) => {
    const root = createDirectory();
    const { dataDir } = createNewDatabase(root, inject('temporal'));
    const killed = start(root, count);
    await expect(killed.ended, killed.errors()).resolves.toEqual([null, 'SIGKILL']);
    expect(existsSync(toDatabasePath(dataDir))).toBe(count === steps.length);
    expect(await prepare(root)).toEqual([]);
    expect(readdirSync(dataDir)).toEqual(['temporal.db']);
    expect(() => dropUnusedIndexes(toDatabasePath(dataDir))).toThrow('has no index that could be dropped');
  },
);

/** Fails the test if a server is started. */
const noServer = {
  toServer: () => {
    throw new Error('a server was started');
  },
  signal: new AbortController().signal,
};

test.each<[string, (dataDir: string) => void]>([
  ['has a database', (dataDir) => writeFileSync(toDatabasePath(dataDir), 'database')],
  ['has a write-ahead log', (dataDir) => writeFileSync(`${toDatabasePath(dataDir)}-wal`, 'log')],
  ['lost its database', (dataDir) => markDatabase(dataDir)],
])('a DATA_DIR that %s is left as it is', async (_, fill) => {
  const dataDir = createDirectory();
  fill(dataDir);
  const before = readdirSync(dataDir);
  const said: string[] = [];
  await prepareNewDatabase(dataDir, { ...noServer, say: (line) => said.push(line) });
  expect(said).toEqual([]);
  expect(readdirSync(dataDir)).toEqual(before);
});

test('if the server cannot write its schema, one line says that the database stays untuned', async () => {
  const root = createDirectory();
  expect(await prepare(root, { ...inject('temporal'), path: '/bin/false' })).toEqual([
    // The reason depends on whether the server ended before or after its start was seen.
    expect.stringMatching(
      /^The new database cannot be tuned \((the server ended|\/bin\/false did not start\. Its log is \/\S+\/server\.log)\)\. It keeps all indexes, so tasks run more slowly\.$/,
    ),
  ]);
  expect(readdirSync(createNewDatabase(root, inject('temporal')).dataDir)).toEqual(['new-database-test']);
});

test('no index is dropped while another process has the database open or locked', async () => {
  const database = createNewDatabase(createDirectory(), inject('temporal'));
  const [writeSchema, dropIndexes, moveIntoPlace] = steps;
  await writeSchema?.(database);
  const path = toDatabasePath(database.directory);
  const log = readFileSync(`${path}-wal`);
  mkdirSync(`${path}.lock`);
  await expect(dropIndexes?.(database)).rejects.toThrow('database is locked');
  rmdirSync(`${path}.lock`);
  const descriptor = openSync(path, 'r');
  await expect(dropIndexes?.(database)).rejects.toThrow(`is open in process ${process.pid}`);
  closeSync(descriptor);
  expect(readFileSync(`${path}-wal`)).toEqual(log);
  expect(() => moveIntoPlace?.(database)).toThrow('its write-ahead log is not written back');

  await dropIndexes?.(database);
  writeFileSync(toDatabasePath(database.dataDir), 'of another server');
  expect(() => moveIntoPlace?.(database)).toThrow('EEXIST');
  expect(readFileSync(toDatabasePath(database.dataDir), 'utf8')).toBe('of another server');
});
