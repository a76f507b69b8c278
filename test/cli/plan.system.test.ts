import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, describe, expect, test } from 'vitest';
import { type Environment, loadConfig } from '../../src/config/config.ts';
import { lintPolicy } from '../../src/planner/policy-lint.ts';
import { toRetryPlan } from '../../src/planner/retry-plan.ts';

const script = fileURLToPath(new URL('../../scripts/plan.ts', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'holdfast-plan-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Runs the command as a process that inherits no variables from this one. It reads the `.env` of its directory. */
async function plan(flags: string[] = [], env: Environment = {}) {
  const { stdout, stderr, exitCode } = await execa(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), script, ...flags],
    { cwd: directory, env: { PATH: process.env.PATH, ...env }, extendEnv: false, reject: false },
  );
  return { stdout, stderr, exitCode };
}

const toDocument = (environment: Environment, failures?: number) => {
  const { policy, shutdownGraceMs } = loadConfig(environment);
  return { ...toRetryPlan(policy, { failures }), warnings: lintPolicy({ policy, shutdownGraceMs }) };
};

const quiet = ['--max-attempts', '10', '--jitter', '0.2', '--job-timeout', '30', '--heartbeat-timeout', '5'];

// Seen to fail when policy.ts multiplied by the attempt instead of raising to its power.
test('prints the plan of the default policy: timeline, sums, herd and warnings', async () => {
  const { stdout, stderr, exitCode } = await plan();
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  expect(`${stdout}\n`).toBe(`\
Policy: 5 attempts; first wait 2 s, multiplied by 2 each time, at most 300 s; no jitter; job timeout 300 s, heartbeat timeout 10 s

Attempt  Starts at  Then
      1        0 s  fails, waits 2 s
      2        2 s  fails, waits 4 s
      3        6 s  fails, waits 8 s
      4       14 s  fails, waits 16 s
      5       30 s  fails, no attempt left

Failed (attempts-exhausted) on attempt 5, after 30 s.
Survives an outage of up to 30 s if each attempt fails immediately.
Takes at most 1530 s (25 min 30 s) in total, even if every attempt reaches the job timeout.
If a worker dies during the first attempt, the second starts within 12 s. If it dies during a later attempt, the next starts within 26 s.

100 tasks that fail together make 500 calls. The highest number of retries in one second:
  this policy (jitter 0) 100
  without jitter         100
  with full jitter (1)   60

Warnings:
  short-outage: the last of 5 attempts starts 30 s after the first, before an upstream's restart or deploy is over (60 s are common)
    Set MAX_ATTEMPTS=6
  no-jitter: JITTER is 0: tasks that fail together call the upstream together again, up to 4 times
    Set JITTER=0.5
  cap-unreachable: MAX_DELAY is 300 s, but the longest wait of 5 attempts is 16 s: only a Retry-After can reach it
    Set MAX_DELAY=16
  grace-below-job-timeout: SHUTDOWN_GRACE is 30 s, JOB_TIMEOUT 300 s: a deploy may cut off attempts that would have succeeded
    Set SHUTDOWN_GRACE=300
`);
});

// Seen to fail when overrides were ignored.
test('reads the environment and .env, lets flags win, and prints the answer of the API with --json', async () => {
  expect(JSON.parse((await plan(['--json'])).stdout)).toEqual(toDocument({}));
  const flags = ['--base-delay', '1', '--backoff-coefficient', '3', '--max-delay', '20', '--job-timeout', '60'];
  const variables = { BASE_DELAY: '1', BACKOFF_COEFFICIENT: '3', MAX_DELAY: '20', JOB_TIMEOUT: '60' };
  writeFileSync(join(directory, '.env'), 'MAX_ATTEMPTS=7\nSHUTDOWN_GRACE=12\n');
  try {
    const { stdout } = await plan(['--json', '--failures', '6', ...flags], { JITTER: '0.5', BASE_DELAY: '5' });
    expect(JSON.parse(stdout)).toEqual(
      toDocument({ MAX_ATTEMPTS: '7', SHUTDOWN_GRACE: '12', JITTER: '0.5', ...variables }, 6),
    );
  } finally {
    rmSync(join(directory, '.env'));
  }
});

test('prints ranges with jitter, the cap, a success, and how many attempts are not listed', async () => {
  const { stdout } = await plan(['--jitter', '0.5', '--failures', '2', '--max-delay', '5']);
  expect(stdout).toMatch(/^ +1 +0 s {2}fails, waits 2 to 3 s$/m);
  expect(stdout).toMatch(/^ +2 +2 to 3 s {2}fails, waits 4 to 5 s \(the cap\)$/m);
  expect(stdout).toMatch(/^ +3 +6 to 8 s {2}succeeds$/m);
  expect(stdout).toContain('Completed on attempt 3, after 6 s to 8 s.');
  expect((await plan(['--max-attempts', '150'])).stdout).toMatch(/^… and 50 more$/m);
  expect((await plan(['--max-attempts', '1'])).stdout).toContain('If a worker dies, its task gets no further attempt.');
});

// Seen to fail when the exit code was always 0.
test('--check exits with 1 if there is a warning and with 0 if there is none', async () => {
  const warned = await plan(['--check']);
  expect(warned.exitCode).toBe(1);
  expect(warned.stdout).toContain('cap-unreachable: ');
  const sound = await plan(['--check', ...quiet]);
  expect(sound.exitCode).toBe(0);
  expect(sound.stdout).toMatch(/^No warnings\.$/m);
  const document = await plan(['--check', '--json']);
  expect(document.exitCode).toBe(1);
  expect(JSON.parse(document.stdout).warnings).not.toEqual([]);
});

describe('a fault is printed to stderr only, without a stack', () => {
  test.each([
    [
      ['--max-attempts', 'abc'],
      {},
      2,
      "option '--max-attempts <number>' argument 'abc' is invalid. It must be a whole",
    ],
    [['--max-attempts', '0'], {}, 2, 'It must be a whole number from 1 to 10000.'],
    [['--base-delay', '-1'], {}, 2, 'It must be a number from 0.001 to 86400.'],
    [['--failures', '-1'], {}, 2, 'It must be a whole number from 0 to 10000.'],
    [['--jitter', '1.1'], {}, 2, 'It must be a number from 0 to 1.'],
    [['--max-delay', '1'], {}, 2, '--max-delay must not be below the initial interval (--base-delay)'],
    [
      ['--base-delay', '400'],
      {},
      2,
      '--base-delay does not fit --max-delay: --max-delay must not be below the initial',
    ],
    [['--job-timeout', '30'], { HEARTBEAT_TIMEOUT: '60' }, 2, '--job-timeout does not fit --heartbeat-timeout'],
    [['now'], {}, 2, 'too many arguments'],
    [[], { MAX_DELAY: '1' }, 78, 'MAX_DELAY must not be below the initial interval (BASE_DELAY)'],
    [['--max-delay', '5'], { MAX_DELAY: '1' }, 78, 'MAX_DELAY must not be below the initial interval (BASE_DELAY)'],
  ])('%j under %j: exit code %i', async (flags, environment, code, fault) => {
    const { stdout, stderr, exitCode } = await plan(flags, environment);
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: code });
    expect(stderr).toContain(fault);
    expect(stderr.split('\n')).toHaveLength(code === 78 ? 2 : 1);
  });

  test('an unknown flag gets a suggestion', async () => {
    const { stderr, exitCode } = await plan(['--max-attemps', '3']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('--max-attempts');
  });
});

test('--help names every flag, even with a bad environment', async () => {
  const { stdout, exitCode } = await plan(['--help'], { PORT: 'x' });
  expect(exitCode).toBe(0);
  expect(stdout).toContain('Usage: npm run plan -- [options]');
  for (const flag of ['max-attempts', 'base-delay', 'backoff-coefficient', 'max-delay', 'jitter', 'job-timeout'])
    expect(stdout).toContain(`--${flag} <number>`);
  for (const flag of ['--heartbeat-timeout', '--failures', '--check', '--json']) expect(stdout).toContain(flag);
});
