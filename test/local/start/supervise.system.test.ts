import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { RecordedChild } from '../../../local/processes/end-processes.ts';
import type { ChildSpec } from '../../../local/processes/spawn-child.ts';
import { createSupervisor } from '../../../local/start/supervise.ts';
import { createDirectory, ignoreTerm, logTermination, readIfThere, waitFor } from '../../support/processes.ts';

type Options = Partial<Parameters<typeof createSupervisor>[0]>;

/** Creates a supervisor that is stopped after the test. Collects what it said and recorded. */
function supervise(options: Options = {}) {
  const said: string[] = [];
  let recorded: RecordedChild[] = [];
  const seen = new Set<string>();
  const supervisor = createSupervisor({
    say: (line) => said.push(line),
    record: (children) => {
      recorded = children;
      for (const { name } of children) seen.add(name);
    },
    ...options,
  });
  onTestFinished(supervisor.kill);
  return { ...supervisor, said, seen, pidOf: (name: string) => recorded.find((child) => child.name === name)?.pid };
}

const node = (name: string, code: string, more: Partial<ChildSpec> = {}): ChildSpec => ({
  name,
  command: process.execPath,
  args: ['-e', code],
  stopWithinMs: 10_000,
  ...more,
});

const idle = 'setInterval(() => {}, 1e6);';
/** Returns a child that writes to `file` when it is up, when SIGTERM arrives and when it ends. */
const loggingChild = (name: string, file: string) => node(name, `${logTermination(name, file)} write('up'); ${idle}`);

const upToDelays = (said: string[]) => said.map((line) => /again in (\S+) s/.exec(line)?.[1]);

// Negative controls, each seen to fail a test here: no doubling, no reset, exit code 78 always or never a configuration
// fault, stages stopped first to last, no SIGKILL, restarts or timers after a stop, no process groups, no wait for the
// record before a foreign binary runs.
test('restarts a child that keeps ending, and doubles each wait up to the maximum', async () => {
  const backoff = { firstMs: 10, maximumMs: 50, resetAfterMs: 60_000 };
  const { start, said, stop } = supervise({ backoff });
  start(node('crashing', 'process.exit(3)'));
  await waitFor(() => said.length >= 5);
  await stop();
  expect(upToDelays(said).slice(0, 5)).toEqual(['0.01', '0.02', '0.04', '0.05', '0.05']);
  expect(said[0]).toMatch(/^crashing \(pid \d+\) ended with exit code 3; starting it again in 0\.01 s$/);
});

test('waits the shortest time again after a child that lived long', async () => {
  const { start, said } = supervise({ backoff: { firstMs: 10, maximumMs: 1_000, resetAfterMs: 1 } });
  start(node('long-lived', 'process.exit(3)'));
  await waitFor(() => said.length >= 4);
  expect(new Set(upToDelays(said))).toEqual(new Set(['0.01']));
});

test('restarts a child that was killed with -9, and records its new pid', async () => {
  const { start, pidOf, said } = supervise();
  start(node('worker', idle));
  const pid = await waitFor(() => pidOf('worker'));
  process.kill(pid, 'SIGKILL');
  const next = await waitFor(() => (pidOf('worker') === pid ? undefined : pidOf('worker')));
  expect(next).not.toBe(pid);
  expect(said).toEqual([`worker (pid ${pid}) ended with signal SIGKILL; starting it again in 0.25 s`]);
});

test('gives each child its own process group, so that Ctrl-C in a terminal reaches none of them', async () => {
  const { start, pidOf } = supervise();
  start(node('worker', idle), { name: 'server', command: 'sleep', args: ['600'], stopWithinMs: 1_000, foreign: true });
  for (const name of ['worker', 'server']) {
    const pid = await waitFor(() => pidOf(name));
    expect(() => process.kill(-pid, 0)).not.toThrow();
  }
});

test('retries a command that cannot be started', async () => {
  const { start, said } = supervise({ backoff: { firstMs: 1, maximumMs: 1, resetAfterMs: 60_000 } });
  start({ name: 'missing', command: '/nowhere/binary', args: [], stopWithinMs: 1_000 });
  await waitFor(() => said.length >= 2);
  expect(said[0]).toContain('missing could not be started: spawn /nowhere/binary ENOENT');
});

test('reports exit code 78 of a first start as a configuration fault and does not restart the child', async () => {
  const faulty: string[] = [];
  const { start, said } = supervise({ onConfigFault: (name) => faulty.push(name) });
  start(node('API', 'process.exit(78)'));
  await waitFor(() => faulty.length > 0);
  expect(faulty).toEqual(['API']);
  expect(said).toEqual([]);
});

test('treats exit code 78 of a restarted child as a normal crash, and the other children keep running', async () => {
  const marker = join(createDirectory(), 'was-here');
  const { start, said } = supervise({ onConfigFault: () => expect.unreachable() });
  const code = `const fs = require('fs'); if (fs.existsSync('${marker}')) process.exit(78); fs.writeFileSync('${marker}', ''); process.exit(1)`;
  start(node('API', code));
  await waitFor(() => said.some((line) => line.includes('exit code 78')));
});

test('stops one stage after another, the last one first, and all children of a stage together', async () => {
  const file = join(createDirectory(), 'order');
  appendFileSync(file, '');
  const { start, stop } = supervise();
  start(loggingChild('server', file));
  start(loggingChild('worker-1', file), loggingChild('worker-2', file));
  start(loggingChild('api', file));
  await waitFor(
    () =>
      readIfThere(file)
        ?.split('\n')
        .filter((line) => line.endsWith(' up')).length === 4,
  );
  await stop();
  const order = readIfThere(file)
    ?.trim()
    .split('\n')
    .filter((line) => !line.endsWith(' up'));
  const toStage = (line: string) => line.replace(/-\d/, '');
  expect(order?.map(toStage)).toEqual([
    'api asked',
    'api ended',
    'worker asked',
    'worker asked',
    'worker ended',
    'worker ended',
    'server asked',
    'server ended',
  ]);
});

test('kills a child that does not end in time', async () => {
  const marker = join(createDirectory(), 'up');
  const { start, stop, said, pidOf } = supervise();
  const code = `${ignoreTerm} require('fs').writeFileSync('${marker}', ''); ${idle}`;
  start(node('stubborn', code, { stopWithinMs: 200 }));
  await waitFor(() => existsSync(marker));
  const pid = pidOf('stubborn');
  await stop();
  expect(said).toEqual([`stubborn (pid ${pid}) did not end within 0.2 s; killing it`]);
  expect(pidOf('stubborn')).toBeUndefined();
});

test('restarts no child during a stop, whether it ends then or already waits for its restart', async () => {
  const backoff = { firstMs: 100, maximumMs: 100, resetAfterMs: 60_000 };
  const { start, stop, said, pidOf, seen } = supervise({ backoff });
  start(node('crashing', 'process.exit(1)'));
  await waitFor(() => said.length === 1);
  await stop();
  seen.clear();
  start(node('outlasting the wait', 'setTimeout(() => {}, 300)'));
  await waitFor(() => !pidOf('outlasting the wait'));
  expect([...seen]).toEqual(['outlasting the wait']);
  expect(said).toHaveLength(1);
});

test('does not run a foreign binary that it could not record', async () => {
  const directory = createDirectory();
  const touch = (name: string): ChildSpec => ({
    name,
    command: 'sh',
    args: ['-c', `touch ${join(directory, name)}; exec sleep 600`],
    stopWithinMs: 1_000,
    foreign: true,
  });
  let isFull = false;
  const record = () => {
    if (!isFull) return;
    // A slow disk that is full gives a binary that does not wait enough time to run.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    throw new Error('ENOSPC');
  };
  const backoff = { firstMs: 1, maximumMs: 1, resetAfterMs: 60_000 };
  const { start, said } = supervise({ record, backoff });
  start(touch('recorded'));
  await waitFor(() => existsSync(join(directory, 'recorded')));
  isFull = true;
  start(touch('unrecorded'));
  await waitFor(() => said.filter((line) => line.startsWith('unrecorded (pid')).length >= 2);
  expect(existsSync(join(directory, 'unrecorded'))).toBe(false);
});
