import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isAlive } from '../../../local/processes/process-identity.ts';
import { readLock } from '../../../local/start/lock-file.ts';
import { createDirectory, ignoreTerm, runHolder, waitFor } from '../../support/processes.ts';

const idle = 'setInterval(() => {}, 1e6);';

// Negative control: both tests fail with a watchdog that ends no process.
test('kill -9 of a supervising process leaves no child, even one that ignores SIGTERM', async () => {
  const dataDir = createDirectory();
  const deaf = `${ignoreTerm} process.on('disconnect', () => {}); ${idle}`;
  const holder = await runHolder(dataDir, [
    { name: 'foreign', command: 'sh', args: ['-c', 'exec sleep 600'], foreign: true },
    { name: 'listening', args: ['-e', `process.on('disconnect', () => process.exit()); ${idle}`] },
    { name: 'deaf', args: ['-e', deaf] },
  ]);
  holder.tryNow();
  await waitFor(() => holder.lines.includes('holding'));
  const children = readLock(join(dataDir, 'lock.json'))?.children ?? [];
  expect(children.map(({ name }) => name)).toEqual(['watchdog', 'foreign', 'listening', 'deaf']);
  expect(children.every(isAlive)).toBe(true);
  holder.child.kill('SIGKILL');
  await waitFor(() => !children.some(isAlive), 20_000);
});

test('kill -9 leaves no child even right after the watchdog was spawned', async () => {
  const dataDir = createDirectory();
  const holder = await runHolder(dataDir, [{ name: 'foreign', command: 'sleep', args: ['600'], foreign: true }]);
  holder.tryNow();
  const path = join(dataDir, 'lock.json');
  const children = await waitFor(() => {
    const recorded = readLock(path)?.children ?? [];
    return recorded.length === 2 ? recorded : undefined;
  });
  holder.child.kill('SIGKILL');
  await waitFor(() => !children.some(isAlive), 20_000);
});
