import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { nodeArguments } from '../../../cli/node-arguments.ts';
import { listPids, readCommand, readStat } from '../../../cli/proc.ts';
import { eventually } from '../../support/holdfast.ts';

const script = fileURLToPath(new URL('../../../scripts/prove.ts', import.meta.url));

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'holdfast-prove-test-'));
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

function start(...args: string[]) {
  const child = spawn(process.execPath, [...nodeArguments(script), '--output', 'output', ...args], {
    cwd: place,
    env: { ...process.env, TMPDIR: place, TEMPORAL_CLI_PATH: inject('temporal').path },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (words: string) => {
      output += words;
    });
  return { child, ended: once(child, 'exit'), output: () => output };
}

/** Returns each living process that works in the run's directory or runs its build, with the letter of its state. */
function toProcesses(): { pid: number; state: string | undefined }[] {
  return listPids()
    .filter((pid) => pid !== process.pid && readCommand(pid).includes(place))
    .flatMap((pid) => {
      const state = readStat(pid)?.state;
      return state === undefined || state === 'Z' ? [] : [{ pid, state }];
    });
}

const isStopped = () => toProcesses().some(({ state }) => state === 'T');
const history = () => join(place, 'output', 'history.jsonl');
const hasHistory = () => existsSync(history()) && statSync(history()).size > 0;
const isBuilding = () => readdirSync(place).some((name) => name.startsWith('holdfast-prove-'));
const isStarting = () => existsSync(join(place, 'output', 'logs', 'temporal.1.log'));

const expectNothingLeft = () => eventually(toProcesses, (processes) => processes.length === 0, 30_000);

test.each([
  ['it builds', isBuilding],
  ['it starts its stack', isStarting],
  ['it is under load', hasHistory],
  ['one of its processes is stopped', isStopped],
])(
  'Ctrl-C while %s leaves no file and no process, not even a stopped one',
  async (_, isSo) => {
    const run = start('--tasks', '200', '--faults', '20', '--seed', '1', '--only', 'stop');
    await eventually(isSo, Boolean, 60_000);
    run.child.kill('SIGINT');
    expect(await run.ended, run.output()).toEqual([130, null]);
    expect(toProcesses()).toEqual([]);
    expect(readdirSync(place).filter((name) => name.startsWith('holdfast-'))).toEqual([]);
  },
  120_000,
);

test('kill -9 of the run while one of its processes is stopped leaves no process', async () => {
  const run = start('--tasks', '200', '--faults', '20', '--seed', '1', '--only', 'stop');
  await eventually(isStopped, Boolean, 60_000);
  run.child.kill('SIGKILL');
  await run.ended;
  await expectNothingLeft();
}, 120_000);

test('an unknown kind of fault is refused with a list of the known kinds', async () => {
  const run = start('--only', 'kill-upstream');
  expect(await run.ended).toEqual([2, null]);
  expect(run.output()).toContain('There is no fault "kill-upstream"; there are: kill-worker');
});

test('an output that is not a directory is refused in one line before anything starts', async () => {
  const run = start('--output', script);
  expect(await run.ended).toEqual([1, null]);
  expect(run.output()).toContain(`${script} cannot be made a directory (EEXIST): name another with --output.`);
});

test('--render writes the page of a saved result into --output', async () => {
  mkdirSync(join(place, 'output'));
  const kept = fileURLToPath(new URL('../../../docs/proof/2026-11-25-seed-1.json', import.meta.url));
  const run = start('--render', kept);
  expect(await run.ended, run.output()).toEqual([0, null]);
  expect(run.output()).toBe('Written: output/2026-11-25-seed-1.html\n');
  expect(readFileSync(join(place, 'output', '2026-11-25-seed-1.html'), 'utf8')).toContain('Holdfast: the proof');
});
