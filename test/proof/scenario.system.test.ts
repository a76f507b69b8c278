import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { nodeArguments } from '../../cli/node-arguments.ts';
import { isListening } from '../../local/processes/ports.ts';
import { isAlive, type ProcessIdentity } from '../../local/processes/process-identity.ts';
import { readLock } from '../../local/start/lock-file.ts';
import { runMutant, runUnmutated } from '../support/mutant.ts';
import { createDirectory, waitFor } from '../support/processes.ts';
import { scenarioMutants } from './mutants/scenario.ts';

const command = 'scenario';
const script = fileURLToPath(new URL('../../scripts/scenario.ts', import.meta.url));

/** Runs the script as a terminal does, in its own process group, with its own directory for temporary files. */
function start(...args: string[]) {
  const directory = createDirectory();
  const child = execa(process.execPath, [...nodeArguments(script), ...args], {
    env: {
      TMPDIR: directory,
      TEMPORAL_CLI_PATH: inject('temporal').path,
      TEMPORAL_TEST_SERVER_PATH: inject('timeSkippingServer'),
    },
    detached: true,
    cleanup: false,
    stdin: 'ignore',
    all: true,
    reject: false,
  });
  let printed = '';
  child.all.on('data', (text) => {
    printed += text;
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, pid: child.pid as number, directory, printed: () => printed };
}

const findStacks = (directory: string) => readdirSync(directory).filter((name) => name.startsWith('holdfast-'));

/** Runs scenario 4 until its ten tasks are held. Returns the processes of its stack and, with --verbose, its ports. */
async function startHolding(...args: string[]) {
  const run = start(...args, '4', '--fast');
  await waitFor(() => run.printed().includes('10 tasks are running'), 90_000);
  const [name = ''] = findStacks(run.directory);
  const lock = readLock(join(run.directory, name, 'data', 'lock.json'));
  if (!lock) throw new Error(`No stack of its own runs in ${run.directory}`);
  const stack: ProcessIdentity[] = [lock, ...lock.children];
  // The Temporal CLI serves the Web UI itself. Temporal's own server has a process beside it for that.
  const alive = inject('temporal').webUi ? [true, true, true, true, true, true] : [true, true, true, true, true];
  expect(stack.map(isAlive)).toEqual(alive);
  const [said = ''] = run.printed().split('SCENARIO 4').slice(-1);
  const ports = [...new Set([...said.matchAll(/http:\/\/127\.0\.0\.1:(\d+)/g)].map(([, port]) => Number(port)))];
  return { ...run, stack, ports };
}

async function expectNothingLeft({ stack, ports }: { stack: ProcessIdentity[]; ports: number[] }) {
  expect(stack.filter(isAlive)).toEqual([]);
  expect(await Promise.all(ports.map(isListening))).toEqual(ports.map(() => false));
}

const titles = [
  'Exponential Backoff Pattern',
  'Retry on API Failure, Success Once It Is Restored',
  'Job Timeout',
  'Stalled Job Recovery',
  'Concurrent Load',
  'Max Delay Cap',
];

test('all six pass and print set-up, action and observation; --fast says what it scaled down', async () => {
  const { exitCode, output } = await runUnmutated({ command, args: ['all', '--fast'] });
  expect(output).toContain(`FINAL SUMMARY
${'='.repeat(80)}
${titles.map((title) => `✅ PASSED: ${title}`).join('\n')}

Total: 6/6 scenarios passed`);
  const played = output.split(/^SCENARIO \d: /m).slice(1);
  for (const [index, title] of titles.entries())
    expect(played[index]).toMatch(new RegExp(`^${title}\n.*^Set-up: .*^Action: .*^Observation: .*^✅ PASSED: `, 'ms'));
  expect(output).toContain('BASE_DELAY=1 MAX_ATTEMPTS=6 (scaled down by --fast from BASE_DELAY=2)');
  expect(output).toContain('exponential pattern [1, 2, 4, 8, 16] s');
  expect(output.match(/^ {2}task +\d+: \d+\.\d\d s from the kill/gm)).toHaveLength(20);
  expect(output.match(/up to 10 minutes/g)).toHaveLength(2);
  expect(output).toContain('[2, 4, 8, 16, 32, 60, 60, 60, 60] s');
  expect(exitCode).toBe(0);
}, 300_000);

describe('a broken Holdfast fails the scenario for that defect:', () => {
  test.concurrent.each(scenarioMutants)(
    '$name',
    async ({ file, from, to, scenario, because }) => {
      const { exitCode, output } = await runMutant({ file, from, to, command, args: [`${scenario}`, '--fast'] });
      const summary = output.slice(output.indexOf('FINAL SUMMARY'));
      expect(summary).toContain(`❌ FAILED: ${titles[scenario - 1]} (`);
      expect(summary).toMatch(because);
      expect(summary).toContain('Total: 0/1 scenarios passed');
      expect(exitCode).toBe(1);
    },
    120_000,
  );
});

test.each([
  [[], 'Choose 1 to 6, or all: npm run scenario -- all'],
  [['7'], 'Choose 1 to 6, or all.'],
  [['0'], 'Choose 1 to 6, or all.'],
  [['abc'], 'Choose 1 to 6, or all.'],
  [['1', 'x'], 'Choose 1 to 6, or all.'],
  [['1', '--fats'], '(Did you mean --fast?)'],
])('%j ends with exit code 2 and says what is possible', async (args, words) => {
  const { exitCode, stdout, stderr } = await start(...args).child;
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^error: /);
  expect(stderr).toContain(words);
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(exitCode).toBe(2);
});

test('Ctrl-C during a run prints what was done, exits with 130 and leaves no process, port or file', async () => {
  const run = await startHolding('--verbose', '6');
  expect(await Promise.all(run.ports.map(isListening))).toContain(true);
  process.kill(-run.pid, 'SIGINT');
  const { exitCode, all } = await run.child;
  expect(all).toContain('SUMMARY OF WHAT WAS DONE (interrupted)');
  expect(all).toContain('✅ PASSED: Max Delay Cap\n⚠️  NOT RUN: Stalled Job Recovery (interrupted)');
  expect(all).toContain('Total: 1/2 scenarios passed');
  expect(all).not.toMatch(/\n\s+at /);
  expect(exitCode).toBe(130);
  await expectNothingLeft(run);
  expect(findStacks(run.directory)).toEqual([]);
}, 120_000);

test('a scenario killed with -9 leaves no process of its stack', async () => {
  const run = await startHolding();
  run.child.kill('SIGKILL');
  await waitFor(() => !run.stack.some(isAlive), 15_000);
}, 120_000);
