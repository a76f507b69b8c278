import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { nodeArguments } from '../../cli/node-arguments.ts';
import { killNow } from '../../local/processes/end-processes.ts';
import { isListening } from '../../local/processes/ports.ts';
import { isAlive } from '../../local/processes/process-identity.ts';
import { readLock } from '../../local/start/lock-file.ts';
import type { StressResult } from '../../proof/system/result.ts';
import { parseId } from '../../src/contract.ts';
import { type Holdfast, startHoldfast } from '../support/holdfast.ts';
import { createDirectory, run, waitFor } from '../support/processes.ts';
import { toSecret } from '../support/signed-in.ts';

const script = fileURLToPath(new URL('../../scripts/stress-system.ts', import.meta.url));

let holdfast: Holdfast;
let environment: Record<string, string>;

beforeAll(async () => {
  holdfast = await startHoldfast({ BASE_DELAY: '0.2', WORKER_CONCURRENCY: '5' });
  await holdfast.startWorker();
  environment = {
    ...Object.fromEntries(
      Object.keys(process.env)
        .filter((name) => name.startsWith('HOLDFAST_'))
        .map((name) => [name, '']),
    ),
    TEMPORAL_CLI_PATH: inject('temporal').path,
    TEMPORAL_ADDRESS: inject('devServer'),
    BASE_DELAY: '0.2',
    WORKER_CONCURRENCY: '5',
  };
});
afterAll(() => holdfast.stop());

const stressWith = (more: Record<string, string>, ...args: string[]) =>
  run(process.execPath, [...nodeArguments(script), ...args], { ...environment, ...more });
const stress = (...args: string[]) => stressWith({}, ...args);

async function toEnd(running: ReturnType<typeof run>) {
  const [code] = await running.ended;
  return { code, output: running.lines.join('\n'), errors: running.errors().trim() };
}

async function serve(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const toPort = (output: string) =>
  Number(/Holdfast: http:\/\/127\.0\.0\.1:(\d+) \(a stack of its own\)/.exec(output)?.[1]);

test.each([
  [['--tasks', '0'], /'0' is invalid.*whole number from 1 to 10000/],
  [['--tasks', '-1'], /'-1' is invalid|argument missing/],
  [['--tasks', 'abc'], /'abc' is invalid/],
  [['--only', '9'], /'9' is invalid.*from 1 to 8/],
  [['--only', '1,1'], /names a check twice/],
  [['--taks', '5'], /unknown option '--taks'\n\(Did you mean --tasks\?\)/],
  [['nonsense'], /too many arguments/],
])('%j is refused before anything starts, without a stack trace', async (args, fault) => {
  const { code, output, errors } = await toEnd(stress(...args));
  expect(errors).toMatch(fault);
  expect(errors.split('\n').length).toBeLessThanOrEqual(2);
  expect({ code, output }).toEqual({ code: 2, output: '' });
});

test.each([
  [
    ['--url', 'http://127.0.0.1:9'],
    /^http:\/\/127\.0\.0\.1:9 cannot be reached \(.*\): is Holdfast running there\?.*$/,
  ],
  [['--url', 'ftp://x'], /^ftp:\/\/x is not the URL of a Holdfast.*$/],
  [['--url', ''], /^'' is not the URL of a Holdfast: write it as http:\/\/host:port\.$/],
  [['--url', 'http://127.0.0.1:9', '--joke-api', ''], /^'' is not the URL of a joke API: .*$/],
  [['--joke-api', 'http://127.0.0.1:9'], /^--joke-api belongs to --url.*$/],
  [['--report', '/nowhere/report.html'], /^\/nowhere\/report\.html cannot be written \(ENOENT\).*$/],
  [['--json', '/proc/none.json'], /^\/proc\/none\.json cannot be written \(\w+\).*$/],
])('%j ends with one line that says what to do', async (args, fault) => {
  const { code, errors } = await toEnd(stress('--quick', ...args));
  expect(errors).toMatch(fault);
  expect(code).toBe(1);
});

// Seen to fail when the API's own problem is printed instead: it names no variable.
test('for a missing or wrong key, one line names the variable to set', async () => {
  const guarded = await startHoldfast({ API_KEYS: `me:${toSecret('me')}` });
  onTestFinished(guarded.stop);
  const [missing, wrong] = await Promise.all(
    ['', 'x'.repeat(40)].map((HOLDFAST_API_KEY) => toEnd(stressWith({ HOLDFAST_API_KEY }, '--url', guarded.url))),
  );
  expect(missing).toMatchObject({
    code: 1,
    errors: `${guarded.url} requires an API key. Set HOLDFAST_API_KEY to one of the secrets in its API_KEYS.`,
  });
  expect(wrong).toMatchObject({
    code: 1,
    errors: expect.stringMatching(/ does not know the key in HOLDFAST_API_KEY: /),
  });
});

test('a server that is not Holdfast is recognized, whatever it answers', async () => {
  const answers = ['<h1>hello</h1>', '{"openapi":"3.1.0","info":{"title":"Petstore"}}', '[]', ''];
  const url = await serve((_, response) => response.end(answers.shift()));
  while (answers.length > 0) {
    const { code, errors } = await toEnd(stress('--url', url));
    expect(errors).toMatch(
      /^http:\S+ (answers, but|did not answer GET \/openapi\.json with JSON:) it is not Holdfast\.$/,
    );
    expect(code).toBe(1);
  }
});

test('against a running Holdfast without its joke API the scripted checks are NOT RUN and the exit code is not 0', async () => {
  const { code, output } = await toEnd(stress('--url', holdfast.url, '--tasks', '10', '--only', '2,3,8'));
  for (const title of ['Retry Behavior Under Load', 'Worker Capacity', 'Error Handling'])
    expect(output).toMatch(new RegExp(`NOT RUN: ${title} \\(it needs a scripted upstream: .*--joke-api`));
  expect(output).toContain('Total: 0/3 tests passed');
  expect(code).toBe(1);
});

test('against a running Holdfast and its joke API the scripted checks run, and --json has every printed figure', async () => {
  const json = join(createDirectory(), 'out.json');
  const flags = [
    '--url',
    holdfast.url,
    '--joke-api',
    holdfast.jokes.url,
    '--tasks',
    '20',
    '--only',
    '2,3,8',
    '--json',
    json,
  ];
  const { code, output } = await toEnd(stress(...flags));
  expect(output).toContain('Total: 3/3 tests passed');
  expect(code).toBe(0);
  const result = JSON.parse(readFileSync(json, 'utf8')) as StressResult;
  expect(result.totals).toEqual({ passed: 3, failed: 0, notRun: 0, total: 3 });
  expect(result.interrupted).toBe(false);
  expect(result.configuration).toMatchObject({ 'Base Delay': '0.2s', 'Worker Concurrency': '5', Tasks: '20' });
  // Check 2 submits at least 50 tasks, and check 3 submits three for each of five slots. Check 8 times no submissions.
  expect(result.submissions).toHaveLength(50 + 15);
  expect(result.latency.submission.count).toBe(65);
  expect(result.tasks.filter(({ check }) => check === 'Retry Behavior Under Load')).toHaveLength(50);
  for (const task of result.tasks) {
    expect(task.finishedAtMs).toBeGreaterThanOrEqual(task.submittedAtMs);
    expect(task.attempts.map(({ attempt }) => attempt)).toEqual(task.attempts.map((_, index) => index + 1));
    if (task.check !== 'Error Handling') expect(task.attempts.at(-1)?.status === 200).toBe(task.status === 'completed');
  }
  const retried = result.tasks.filter(({ attempts }) => attempts.length > 1);
  expect(output).toContain(
    `Completed: ${50 - result.tasks.filter(({ check, status }) => check === 'Retry Behavior Under Load' && status === 'failed').length}, failed after`,
  );
  expect(retried.length).toBeGreaterThan(0);
}, 180_000);

// Seen to fail when a stack does not inherit ENGINE.
test('checks pass with ENGINE=activity, and the header, the tasks and --json show this engine', async () => {
  const json = join(createDirectory(), 'out.json');
  const flags = ['--quick', '--only', '1,2', '--json', json];
  const { code, output } = await toEnd(stressWith({ ENGINE: 'activity' }, ...flags));
  expect(output).toContain('\n  Engine: activity\n');
  expect(output).toContain('Total: 2/2 tests passed');
  expect(code).toBe(0);
  const { command, tasks } = JSON.parse(readFileSync(json, 'utf8')) as StressResult;
  expect(command).toBe(`ENGINE=activity npm run stress:system -- ${flags.join(' ')}`);
  expect(tasks.map(({ id }) => parseId(id)?.kind)).toEqual(tasks.map(() => 'activity'));
}, 120_000);

// Seen to fail when the removal comes after the work and not in `finally`, and when the signal also ends the removal.
test('after a failed or interrupted check, a joke API that was already running keeps no rule of that check', async () => {
  const { rules, url } = holdfast.jokes;
  const refusing = await serve(async ({ method, url: path = '' }, response) => {
    const { status, text } = await holdfast.call('GET', path);
    response.writeHead(method === 'GET' ? status : 503).end(text);
  });
  const { output } = await toEnd(stress('--url', refusing, '--joke-api', url, '--only', '3'));
  expect(output).toContain('❌ FAILED: Worker Capacity (15 submissions were not accepted, first: ');
  expect(rules.list()).toEqual([]);

  const running = stress('--url', holdfast.url, '--joke-api', url, '--only', '8');
  await waitFor(() => rules.list().length > 0, 60_000);
  running.child.kill('SIGINT');
  const interrupted = await toEnd(running);
  expect(interrupted.output).toContain('NOT RUN: Error Handling (interrupted)');
  expect({ code: interrupted.code, rules: rules.list() }).toEqual({ code: 130, rules: [] });
}, 120_000);

test('Ctrl-C during a run prints a summary of what was done, exits with 130 and leaves nothing behind', async () => {
  const json = join(createDirectory(), 'out.json');
  const running = stress('--quick', '--only', '1,7', '--json', json);
  await waitFor(() => running.lines.some((line) => line.startsWith('8 rounds of')), 60_000);
  running.child.kill('SIGINT');
  const { code, output, errors } = await toEnd(running);
  expect(errors).toBe('SIGINT: stopping. A second signal kills at once.');
  expect(output).toContain('SUMMARY OF WHAT WAS DONE (interrupted)');
  expect(output).toContain('✅ PASSED: Concurrent Task Submissions');
  expect(output).toMatch(/NOT RUN: Memory Usage \(interrupted\)/);
  expect(code).toBe(130);
  expect(await isListening(toPort(output))).toBe(false);
  expect(JSON.parse(readFileSync(json, 'utf8'))).toMatchObject({ interrupted: true, totals: { passed: 1, notRun: 1 } });
}, 120_000);

// Seen to fail when directories are removed only at an orderly end.
test('a second Ctrl-C ends everything at once, and leaves no process and no file either', async () => {
  const directory = createDirectory();
  const findOurs = () => readdirSync(directory).filter((name) => name.startsWith('holdfast-'));
  const running = stressWith({ TMPDIR: directory }, '--quick', '--only', '7');
  await waitFor(() => running.lines.some((line) => line.startsWith('8 rounds of')), 60_000);
  const stack = findOurs().find((name) => name.startsWith('holdfast-stack-')) ?? '';
  const { children = [] } = readLock(join(directory, stack, 'data', 'lock.json')) ?? {};
  onTestFinished(() => killNow(children));
  const worker = children.find(({ name }) => name === 'worker');
  if (!worker) throw new Error(`No stack of its own runs in ${directory}`);
  // The Temporal CLI serves the Web UI itself. Temporal's own server has a process beside it for that.
  expect([findOurs().length, children.length]).toEqual([2, inject('temporal').webUi ? 5 : 4]);
  // A stopped worker does not react to SIGTERM, so the stack ends slowly.
  process.kill(worker.pid, 'SIGSTOP');
  await waitFor(() => {
    running.child.kill('SIGINT');
    return running.errors().includes('SIGINT: killing what still runs.');
  });
  const { code } = await toEnd(running);
  expect({ code, files: findOurs(), alive: children.filter(isAlive) }).toEqual({ code: 130, files: [], alive: [] });
}, 120_000);

test('kill -9 of the command also ends its stack', async () => {
  const running = stress('--quick', '--only', '7');
  await waitFor(() => running.lines.some((line) => line.startsWith('8 rounds of')), 60_000);
  const port = toPort(running.lines.join('\n'));
  expect(await isListening(port)).toBe(true);
  running.child.kill('SIGKILL');
  await waitFor(async () => !(await isListening(port)), 30_000);
}, 120_000);

test('an interrupted start leaves no process and no file', async () => {
  const directory = createDirectory();
  const running = run(process.execPath, [...nodeArguments(script), '--quick'], { ...environment, TMPDIR: directory });
  await waitFor(() => running.lines.some((line) => line.startsWith('Temporal: temporal')), 60_000);
  running.child.kill('SIGTERM');
  const { code } = await toEnd(running);
  expect(code).toBe(143);
  expect(readdirSync(directory).filter((name) => name.startsWith('holdfast-'))).toEqual([]);
}, 120_000);
