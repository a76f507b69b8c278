import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { nodeArguments } from '../../cli/node-arguments.ts';
import { findFreePort } from '../../local/processes/ports.ts';
import type { Capsule } from '../../proof/capsule/capsule.ts';
import { type Holdfast, isFinished, startHoldfast } from '../support/holdfast.ts';
import { resetToStart } from '../support/operator.ts';

// Each test runs up to seven commands, and a busy machine needs 10 s for each.
vi.setConfig({ testTimeout: 180_000 });

const script = fileURLToPath(new URL('../../scripts/capsule.ts', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'holdfast-capsule-'));

let holdfast: Holdfast;
beforeAll(async () => {
  holdfast = await startHoldfast({ BASE_DELAY: '0.1' });
  await holdfast.startWorker();
});
afterAll(async () => {
  await holdfast.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** Runs the command as a process on the Temporal of this test run. */
async function capsule(args: string[], env: Record<string, string> = {}) {
  const { exitCode, stdout, stderr } = await execa(process.execPath, [...nodeArguments(script), ...args], {
    cwd: directory,
    env: { TEMPORAL_ADDRESS: holdfast.config.temporal.address, ...env },
    reject: false,
  });
  return { exitCode, lines: stdout.split('\n').filter(Boolean), errors: stderr.split('\n').filter(Boolean) };
}

/** Runs a task whose attempts get the answers `then`, and returns it when it has finished. */
async function run(category: string, then: object[]) {
  holdfast.jokes.rules.add({ when: { category }, then });
  return await holdfast.until((await holdfast.submit({ category })).id, isFinished);
}

const read = (file: string): Capsule => JSON.parse(readFileSync(join(directory, file), 'utf8'));

/** Writes `changed.json`: the capsule with one text changed. */
function change(file: string, from: RegExp, to: string) {
  const text = readFileSync(join(directory, file), 'utf8');
  const changed = text.replace(from, to);
  expect(changed).not.toBe(text);
  writeFileSync(join(directory, 'changed.json'), changed);
}

test.each([true, false])('a task that failed once is replayed (with its ledger: %s)', async (withLedger) => {
  const { id, output } = await run(`once-${withLedger}`, [{ status: 503 }]);
  const flags = withLedger ? ['--joke-api', holdfast.jokes.url] : [];
  const saved = await capsule([id, ...flags, '--output', 'once.json']);
  expect(saved).toEqual({
    exitCode: 0,
    lines: ["once.json: saved with the upstream's answers to 2 of 2 attempts"],
    errors: [],
  });
  const source = withLedger ? 'ledger' : 'history';
  const { joke: value, ...joke } = output as { id: string; joke: string; url: string };
  expect(read('once.json').answers).toEqual([
    { attempt: 1, status: 503, outcome: expect.stringMatching('answered|client-gone'), source },
    { attempt: 2, status: 200, outcome: 'answered', joke: { ...joke, value }, source },
  ]);
  expect(JSON.stringify(read('once.json').history)).not.toMatch(/"identity"|"stackTrace"/);

  const replayed = await capsule(['--replay', 'once.json'], { TEMPORAL_ADDRESS: '127.0.0.1:1' });
  expect(replayed).toEqual({
    exitCode: 0,
    lines: [
      "Workflow: today's code matches the history",
      expect.stringMatching(/^Attempt 1: 503, .*: UpstreamUnavailable \(503\), as the history says$/),
      expect.stringMatching(/^Attempt 2: 200, answered .*: completed with .*, as the history says$/),
      'Verdict: as recorded; 2 of 2 attempts compared',
    ],
    errors: [],
  });

  // Negative control: another answer of the upstream causes another failure.
  change('once.json', /"status": 503/, '"status": 404');
  const different = await capsule(['--replay', 'changed.json']);
  expect(different.exitCode).toBe(1);
  expect(different.lines[1]).toMatch(/DIFFERENT: now UpstreamRejected \(404\), in the history UpstreamUnavailable/);

  // Negative control: the workflow code schedules another activity.
  change('once.json', /("activityType": \{\s*"name": )"fetch-joke"/g, '$1"other"');
  const foreign = await capsule(['--replay', 'changed.json']);
  expect(foreign.exitCode).toBe(1);
  expect(foreign.lines[0]).toMatch(/REFUSED.*nondeterminism/i);
});

test('every kind of failed answer is replayed, also for attempts that the history no longer has', async () => {
  holdfast.jokes.rules.clear();
  const { id, status } = await run('every', [
    { reset: 'before-headers' },
    { cutShort: true },
    { body: 'truncated-json' },
    { reset: 'mid-body' },
    { body: 'wrong-shape' },
  ]);
  expect(status).toBe('failed');
  await capsule([id, '--joke-api', holdfast.jokes.url, '--output', 'every.json']);
  const { exitCode, lines } = await capsule(['--replay', 'every.json']);
  expect(lines.map((line) => line.split(': ').at(-1))).toEqual([
    "today's code matches the history",
    'UpstreamUnreachable, as such an answer should',
    'UpstreamUnreachable, as such an answer should',
    'TruncatedResponse (200), as such an answer should',
    'UpstreamUnreachable, as the history says',
    'InvalidResponse (200), as the history says',
    'as recorded; 5 of 5 attempts compared',
  ]);
  expect(exitCode).toBe(0);

  // A hang and a closed API replace two answers. A test would have to wait for real ones.
  const { answers, ...rest } = read('every.json');
  const [first, second, ...others] = answers;
  const hung = { ...first, outcome: 'hung' };
  const closed = { ...second, status: null, outcome: 'closed' };
  writeFileSync(join(directory, 'changed.json'), JSON.stringify({ ...rest, answers: [hung, closed, ...others] }));
  const changed = await capsule(['--replay', 'changed.json']);
  expect(changed.lines[1]).toMatch(/hung .*: UpstreamTimeout, as such an answer should/);
  expect(changed.lines[2]).toMatch(/closed .*: UpstreamUnreachable, as such an answer should/);
  expect(changed.exitCode).toBe(0);
});

// Seen to fail when the answers of the run before the reset belonged to the capsule too.
test('a task that an operator reset is saved and replayed as its current run', async () => {
  const { id } = await run('reset', [{ status: 503 }, { status: 503 }, {}, { status: 503 }, {}]);
  await resetToStart(holdfast, id);
  await holdfast.until(id, (task) => isFinished(task) && task.attempt === 2);
  const saved = await capsule([id, '--joke-api', holdfast.jokes.url, '--output', 'reset.json']);
  expect(saved.lines).toEqual(["reset.json: saved with the upstream's answers to 2 of 2 attempts"]);
  const replayed = await capsule(['--replay', 'reset.json']);
  expect(replayed).toMatchObject({ exitCode: 0, errors: [] });
  expect(replayed.lines.at(-1)).toBe('Verdict: as recorded; 2 of 2 attempts compared');
});

test('one line says what cannot be saved or replayed', async () => {
  const { body: batch } = await holdfast.call('POST', '/batches/fetch-joke', {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ count: 1 }),
  });
  writeFileSync(join(directory, 'none.json'), '{}');
  const nowhere = { TEMPORAL_ADDRESS: `127.0.0.1:${await findFreePort()}` };
  const cases = [
    [await capsule([batch.id]), 1, /is the id of a batch: give the id of a task/],
    [await capsule(['nobody']), 1, /knows no task nobody: GET \/tasks lists the ids/],
    [await capsule(['nobody'], nowhere), 1, /cannot be reached \(.*\): start it, or set TEMPORAL_ADDRESS/],
    [await capsule(['nobody'], { TEMPORAL_NAMESPACE: 'missing' }), 1, /has no namespace missing: create it/],
    [await capsule(['--replay', 'none.json']), 1, /is not a capsule: npm run capsule -- <task id> saves one/],
    [await capsule(['--replay', 'absent.json']), 1, /cannot be read \(ENOENT\)/],
    [await capsule([]), 2, /give a task id or --replay/],
    [await capsule(['an-id', '--replay', 'none.json']), 2, /give a task id or --replay/],
  ] as const;
  for (const [{ exitCode, lines, errors }, code, line] of cases)
    expect({ exitCode, lines, errors }).toEqual({ exitCode: code, lines: [], errors: [expect.stringMatching(line)] });
});
