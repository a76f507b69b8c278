import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { checkDatabaseVersion } from '../../../local/temporal/database-version.ts';
import { markDatabase, readMarker, toDatabasePath } from '../../../src/embedded/database.ts';
import { createDirectory } from '../../support/processes.ts';

const check = (dataDir: string, version: string) => checkDatabaseVersion(dataDir, toProgram(version));
const toProgram = (version: string) => ({ path: '/bin/temporal', version, webUi: undefined });

/** Creates a DATA_DIR with a database and a marker. */
function createDataDir(servers: Parameters<typeof markDatabase>[1]) {
  const dataDir = createDirectory();
  writeFileSync(toDatabasePath(dataDir), 'database');
  markDatabase(dataDir, servers);
  return dataDir;
}

test('DATA_DIR records the server that created the database, and the one that used it last', () => {
  const dataDir = createDirectory();
  const servers = check(dataDir, '1.32.1');
  expect(servers).toEqual({ createdBy: '1.32.1', usedBy: '1.32.1' });
  writeFileSync(toDatabasePath(dataDir), 'database');
  markDatabase(dataDir, servers);
  expect(readMarker(dataDir)).toMatchObject(servers);
  expect(check(dataDir, '1.33.0')).toEqual({ createdBy: '1.32.1', usedBy: '1.33.0' });
});

test.each([
  ['1.31.9', '1.32.0'],
  ['1.29.1', '1.32.1'],
  ['1.32.1', '2.0.0'],
])('server %s is refused in one line on a database that server %s has used', (version, usedBy) => {
  const dataDir = createDataDir({ createdBy: '1.29.1', usedBy });
  const refusal = `Temporal server ${usedBy} has used DATA_DIR ${dataDir}, and /bin/temporal is server ${version}: update it, or set DATA_DIR to another directory.`;
  expect(() => check(dataDir, version)).toThrow(refusal);
  // The next database of this DATA_DIR is a new one.
  expect(check(createDirectory(), version).createdBy).toBe(version);
});

test('another patch of the same minor version may use the database', () => {
  const dataDir = createDataDir({ createdBy: '1.32.1', usedBy: '1.32.1' });
  expect(check(dataDir, '1.32.0').usedBy).toBe('1.32.0');
});

// A marker without versions belongs to a database of server 1.29.1.
test.each([{}, { createdBy: '1.31.0', usedBy: '1.31.0' }])(
  'server 1.32 is refused in one line on the tables of an older server',
  (servers) => {
    const dataDir = createDataDir(servers);
    const { createdBy = '1.29.1' } = servers;
    expect(() => check(dataDir, '1.32.1')).toThrow(
      `Temporal server ${createdBy} created the database of DATA_DIR ${dataDir}, which server 1.32.1 cannot use fully: let an earlier Holdfast finish its tasks, and set DATA_DIR to another directory.`,
    );
  },
);

test('an older server may use a database of its own', () => {
  expect(check(createDataDir({}), '1.29.1')).toEqual({ createdBy: '1.29.1', usedBy: '1.29.1' });
  expect(check(createDirectory(), '1.29.1').createdBy).toBe('1.29.1');
});
