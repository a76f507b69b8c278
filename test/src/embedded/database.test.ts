import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createLossCheck, findLostFile, markDatabase, toDatabasePath } from '../../../src/embedded/database.ts';

function createDatabase() {
  const dataDir = mkdtempSync(join(tmpdir(), 'holdfast-database-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const path = toDatabasePath(dataDir);
  writeFileSync(path, 'database');
  writeFileSync(`${path}-wal`, 'log');
  return { dataDir, path };
}

test('a database that no server has used is never called lost', () => {
  const { dataDir, path } = createDatabase();
  const isLost = createLossCheck(dataDir);
  rmSync(path);
  expect(findLostFile(dataDir)).toBeUndefined();
  expect(isLost()).toBe(false);
});

test.each(['', '-wal'])('a start notices that the file temporal.db%s is missing or empty', (suffix) => {
  const { dataDir, path } = createDatabase();
  markDatabase(dataDir);
  expect(findLostFile(dataDir)).toBeUndefined();
  writeFileSync(`${path}${suffix}`, '');
  expect(findLostFile(dataDir)).toBe(`${path}${suffix}`);
  rmSync(`${path}${suffix}`);
  expect(findLostFile(dataDir)).toBe(`${path}${suffix}`);
});

test.each<[string, (files: ReturnType<typeof createDatabase>) => void]>([
  ['the database was removed', ({ path }) => rmSync(path)],
  ['the write-ahead log was removed', ({ path }) => rmSync(`${path}-wal`)],
  ['all of DATA_DIR was removed', ({ dataDir }) => rmSync(dataDir, { recursive: true })],
  [
    'the database was replaced by another file',
    ({ path }) => {
      writeFileSync(`${path}.copy`, 'database');
      renameSync(`${path}.copy`, path);
    },
  ],
])('a running API notices that %s', (_, lose) => {
  const files = createDatabase();
  markDatabase(files.dataDir);
  const isLost = createLossCheck(files.dataDir);
  expect(isLost()).toBe(false);
  writeFileSync(files.path, 'a change in place');
  expect(isLost()).toBe(false);
  lose(files);
  expect(isLost()).toBe(true);
});

test('an incomplete marker says that there was a database, but not which file it was', () => {
  const { dataDir, path } = createDatabase();
  writeFileSync(`${path}.json`, '{"ino');
  expect(createLossCheck(dataDir)()).toBe(false);
  rmSync(path);
  expect(createLossCheck(dataDir)()).toBe(true);
  expect(findLostFile(dataDir)).toBe(path);
});
