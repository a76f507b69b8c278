import { mkdirSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { checkDatabaseVersion } from '../../../local/temporal/database-version.ts';
import {
  markDatabase,
  readCreator,
  readMarker,
  recordCreator,
  toDatabasePath,
} from '../../../src/embedded/database.ts';
import { createDirectory } from '../../support/processes.ts';

const check = (dataDir: string, version: string) => checkDatabaseVersion(dataDir, toProgram(version));
const toProgram = (version: string) => ({ path: '/bin/temporal', version, webUi: undefined });

type Servers = { createdBy?: string; usedBy?: string };

/** Creates a DATA_DIR with a database. Without a server, its files are those of Holdfast 0.1. */
function createDataDir({ createdBy, usedBy }: Servers) {
  const dataDir = createDirectory();
  if (createdBy) recordCreator(dataDir, createdBy);
  writeFileSync(toDatabasePath(dataDir), 'database');
  if (usedBy) markDatabase(dataDir, usedBy);
  return dataDir;
}

test('DATA_DIR records the server that created the database, and the one that used it last', () => {
  const dataDir = createDirectory();
  check(dataDir, '1.32.1');
  writeFileSync(toDatabasePath(dataDir), 'database');
  // A kill may end a start before it writes the marker.
  check(dataDir, '1.33.0');
  markDatabase(dataDir, '1.33.0');
  expect([readCreator(dataDir), readMarker(dataDir)?.usedBy]).toEqual(['1.32.1', '1.33.0']);
});

test.each([
  ['1.31.9', '1.32.0'],
  ['1.29.1', '1.32.1'],
  ['1.32.1', '2.0.0'],
])('server %s is refused in one line on a database that server %s has used', (version, usedBy) => {
  const dataDir = createDataDir({ createdBy: '1.29.1', usedBy });
  const refusal = `Temporal server ${usedBy} has used DATA_DIR ${dataDir}, and /bin/temporal is server ${version}: update it, or set DATA_DIR to another directory.`;
  expect(() => check(dataDir, version)).toThrow(refusal);
});

test('another patch of the same minor version may use the database', () => {
  const dataDir = createDataDir({ createdBy: '1.32.1', usedBy: '1.32.1' });
  expect(() => check(dataDir, '1.32.0')).not.toThrow();
});

// Seen to fail when a database without a marker counted as a new one.
test.each<[string, Servers]>([
  ['1.29.1', {}],
  ['1.31.0', { createdBy: '1.31.0', usedBy: '1.31.0' }],
])('server 1.32 is refused in one line on the tables of server %s, every time', (createdBy, servers) => {
  const dataDir = createDataDir(servers);
  for (let start = 1; start <= 2; start += 1)
    expect(() => check(dataDir, '1.32.1')).toThrow(
      `Temporal server ${createdBy} created the database of DATA_DIR ${dataDir}, which server 1.32.1 cannot use fully: let an earlier Holdfast finish its tasks, and set DATA_DIR to another directory.`,
    );
});

test('a marker that cannot be written leaves the former one', () => {
  const dataDir = createDataDir({ createdBy: '1.32.1', usedBy: '1.32.1' });
  mkdirSync(`${toDatabasePath(dataDir)}.json.new`);
  expect(() => markDatabase(dataDir, '1.33.0')).toThrow();
  expect(readMarker(dataDir)?.usedBy).toBe('1.32.1');
});

test('an older server may use a database of its own', () => {
  expect(() => check(createDataDir({}), '1.29.1')).not.toThrow();
  expect(() => check(createDirectory(), '1.29.1')).not.toThrow();
});
