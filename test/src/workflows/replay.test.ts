import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker, type WorkflowBundleOption } from '@temporalio/worker';
import { expect, inject, test } from 'vitest';
import { quietRuntime } from '../../../local/time-skipping/quiet-runtime.ts';
import { toOtherBuild } from '../../support/other-build.ts';

const directory = fileURLToPath(new URL('../../histories', import.meta.url));
const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'));
type History = { events: { workflowExecutionStartedEventAttributes: { workflowId?: string } }[] };
const read = (file: string): History => JSON.parse(readFileSync(`${directory}/${file}`, 'utf8'));

quietRuntime();
/** Replays a history under its own workflow id, because a batch derives its chunks' ids from its own. */
const replay = (history: History, workflowBundle: WorkflowBundleOption = { codePath: inject('workflowBundle') }) =>
  Worker.runReplayHistory(
    { workflowBundle },
    history,
    history.events[0]?.workflowExecutionStartedEventAttributes.workflowId,
  );

test('the saved histories contain completed, failed and cancelled tasks, and open batches', () => {
  const ends = new Set(files.map((file) => file.split('/').at(-1)?.split('-')[0]));
  expect(ends).toEqual(new Set(['completed', 'failed', 'cancelled', 'running']));
});

test.each(files)("today's workflow code replays %s", async (file) => {
  await expect(replay(read(file))).resolves.toBeUndefined();
});

// The batches have 1,500 items, and 325 of them wait. So the last chunks wait because of the limit of 400 in flight.
test('an open batch at its limit replays on a build with another limit only if the limit is in its input', async () => {
  const otherLimit = toOtherBuild('formerMaximumInFlight = 400', 'formerMaximumInFlight = 100');
  await expect(replay(read('0.2.0/running-bb753a12-at-the-limit.json'), otherLimit)).resolves.toBeUndefined();
  const former = read('0.2.0/running-bb753a12-without-limit.json');
  await expect(replay(former, otherLimit)).rejects.toThrow(/Nondeterminism/);
});

test('a history that differs from the code is refused', async () => {
  const text = readFileSync(`${directory}/${files[0]}`, 'utf8');
  const foreign = JSON.parse(
    text.replaceAll(/"activityType": \{\s*"name": "fetch-joke"/g, '"activityType": {"name": "other"'),
  );
  await expect(replay(foreign)).rejects.toThrow(/Nondeterminism/);
});
