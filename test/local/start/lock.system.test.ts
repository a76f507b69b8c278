import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { identify, isAlive } from '../../../local/processes/process-identity.ts';
import { acquireLock } from '../../../local/start/lock.ts';
import { type LockContent, readLock } from '../../../local/start/lock-file.ts';
import {
  createDirectory,
  ignoreTerm,
  isRunning,
  logTermination,
  readIfThere,
  run,
  runHolder,
  runIdle,
  waitFor,
} from '../../support/processes.ts';

const say = () => {};
const bootOfAnotherDay = '00000000-0000-0000-0000-000000000000/1';

/** Writes the lock file of a process that is gone. */
function writeDeadLock(path: string, children: LockContent['children'] = []) {
  writeFileSync(path, JSON.stringify({ pid: process.pid, startedAt: bootOfAnotherDay, children }));
}

const toChild = (pid: number, { name = 'child', stage = 0 } = {}) => ({
  name,
  stage,
  pid,
  startedAt: identify(pid)?.startedAt ?? 'dead',
});

// Negative controls, each seen to fail a test here: no lock around the takeover, start times not compared, zombies
// counted as alive, stages in the opposite order, no SIGKILL.
test('refuses a second start while the holder lives, and names its pid and DATA_DIR', async () => {
  const dataDir = createDirectory();
  const lock = await acquireLock(dataDir, { say });
  await expect(acquireLock(dataDir, { say })).rejects.toThrow(
    `already runs on DATA_DIR ${dataDir} (pid ${process.pid})`,
  );
  lock.release();
  await expect(acquireLock(dataDir, { say })).resolves.toBeDefined();
});

test('creates a missing DATA_DIR, and says so if it cannot', async () => {
  const dataDir = join(createDirectory(), 'a', 'b');
  await acquireLock(dataDir, { say });
  const blocked = join(dataDir, 'lock.json', 'c');
  await expect(acquireLock(blocked, { say })).rejects.toThrow(`DATA_DIR ${blocked} cannot be used (ENOTDIR)`);
});

test('takes over from a dead holder after it has ended its children, even one that ignores SIGTERM', async () => {
  const dataDir = createDirectory();
  const [willing, stubborn] = await Promise.all([runIdle(), runIdle({ onTerm: ignoreTerm })]);
  const path = join(dataDir, 'lock.json');
  writeDeadLock(path, [toChild(willing.pid, { name: 'willing' }), toChild(stubborn.pid, { name: 'stubborn' })]);
  const said: string[] = [];
  await acquireLock(dataDir, { say: (line) => said.push(line) });
  await expect(willing.ended).resolves.toEqual([null, 'SIGTERM']);
  await expect(stubborn.ended).resolves.toEqual([null, 'SIGKILL']);
  expect(said.join()).toContain(`Ending willing (pid ${willing.pid})`);
  expect(readLock(path)).toMatchObject({ pid: process.pid, children: [] });
});

test('ends children of a later stage before those of an earlier stage', async () => {
  const dataDir = createDirectory();
  const file = join(dataDir, 'order');
  const [below, above] = await Promise.all([
    runIdle({ onTerm: logTermination('below', file) }),
    runIdle({ onTerm: logTermination('above', file) }),
  ]);
  writeDeadLock(join(dataDir, 'lock.json'), [toChild(below.pid, { stage: 1 }), toChild(above.pid, { stage: 2 })]);
  await acquireLock(dataDir, { say });
  expect(readIfThere(file)).toBe('above asked\nabove ended\nbelow asked\nbelow ended\n');
});

test('does not end another process that later got the pid of a recorded child', async () => {
  const dataDir = createDirectory();
  const innocent = await runIdle();
  writeDeadLock(join(dataDir, 'lock.json'), [{ ...toChild(innocent.pid), startedAt: bootOfAnotherDay }]);
  await acquireLock(dataDir, { say });
  expect(isRunning(innocent.child)).toBe(true);
});

test('counts a zombie as dead', async () => {
  const parent = run('sh', ['-c', 'sleep 0.1 & echo $!; exec sleep 600']);
  const pid = Number(await waitFor(() => parent.lines[0]));
  const identity = await waitFor(() => identify(pid));
  await waitFor(() => !isAlive(identity));
  expect(() => process.kill(pid, 0)).not.toThrow();
});

test('takes over a lock file that a power failure truncated', async () => {
  const dataDir = createDirectory();
  writeFileSync(join(dataDir, 'lock.json'), '{"pid":');
  await acquireLock(dataDir, { say });
  expect(readLock(join(dataDir, 'lock.json'))).toMatchObject({ pid: process.pid });
});

test('never signals the pids of a damaged lock file: pid -1 would mean every process', async () => {
  const dataDir = createDirectory();
  writeDeadLock(join(dataDir, 'lock.json'), [{ name: 'all', stage: 0, pid: -1, startedAt: '' }]);
  await expect(acquireLock(dataDir, { say })).resolves.toBeDefined();
});

test('neither writes to nor releases a lock that another process has taken over', async () => {
  const dataDir = createDirectory();
  const lock = await acquireLock(dataDir, { say });
  writeDeadLock(join(dataDir, 'lock.json'));
  expect(() => lock.record([])).toThrow('not ours any more');
  lock.release();
  expect(readLock(join(dataDir, 'lock.json'))?.startedAt).toBe(bootOfAnotherDay);
});

test('takes over even if an earlier takeover was killed', async () => {
  const dataDir = createDirectory();
  writeDeadLock(join(dataDir, 'lock.json'));
  writeDeadLock(join(dataDir, 'lock.json.takeover'));
  await acquireLock(dataDir, { say });
  expect(existsSync(join(dataDir, 'lock.json.takeover'))).toBe(false);
});

test('exactly one of six simultaneous starts gets the lock of a dead holder', async () => {
  const dataDir = createDirectory();
  // The orphan ends slowly, so that all six are in the takeover at the same time.
  const orphan = await runIdle({ onTerm: logTermination('orphan', join(dataDir, 'order')) });
  writeDeadLock(join(dataDir, 'lock.json'), [toChild(orphan.pid)]);
  const starts = await Promise.all(Array.from({ length: 6 }, () => runHolder(dataDir)));
  for (const start of starts) start.tryNow();
  const isAnswer = (line: string) => line === 'holding' || line.includes(dataDir);
  const answers = await Promise.all(starts.map(({ lines }) => waitFor(() => lines.find(isAnswer))));
  expect(answers.filter((answer) => answer === 'holding')).toHaveLength(1);
  expect(answers.filter((answer) => answer.includes(`already runs on DATA_DIR ${dataDir}`))).toHaveLength(5);
});
