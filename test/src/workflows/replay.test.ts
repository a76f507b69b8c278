import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker, type WorkflowBundleOption } from '@temporalio/worker';
import { expect, inject, test } from 'vitest';
import { quietRuntime } from '../../../local/time-skipping/quiet-runtime.ts';
import { toOtherBuild } from '../../support/other-build.ts';

const directory = fileURLToPath(new URL('../../histories', import.meta.url));
const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'));
type Event = {
  workflowExecutionStartedEventAttributes?: { workflowId?: string; originalExecutionRunId?: string };
  workflowTaskFailedEventAttributes?: { newRunId?: string };
};
type History = { events: Event[] };
const read = (file: string): History => JSON.parse(readFileSync(`${directory}/${file}`, 'utf8'));

quietRuntime();
/**
 * Replays a history under its own workflow id, because a batch derives its chunks' ids from its own. The SDK reads the
 * run id from the start event. After a reset, that event still has the id of the earlier run, which is replaced here.
 */
const replay = ({ events }: History, workflowBundle: WorkflowBundleOption = { codePath: inject('workflowBundle') }) => {
  const start = events[0]?.workflowExecutionStartedEventAttributes;
  const reset = events.findLast((event) => event.workflowTaskFailedEventAttributes?.newRunId);
  if (start && reset) start.originalExecutionRunId = reset.workflowTaskFailedEventAttributes?.newRunId ?? '';
  return Worker.runReplayHistory({ workflowBundle }, { events }, start?.workflowId);
};

test('the saved histories contain completed, failed and cancelled tasks, and open batches', () => {
  const ends = new Set(files.map((file) => file.split('/').at(-1)?.split('-')[0]));
  expect(ends).toEqual(new Set(['completed', 'failed', 'cancelled', 'running']));
});

// Seen to fail without the history of a chunk that was reset.
test('the saved histories contain each patch of the workflows', () => {
  const workflows = new URL('../../../src/workflows/', import.meta.url);
  const code = readdirSync(workflows).map((file) => readFileSync(new URL(file, workflows), 'utf8'));
  const patches = code.flatMap((text) => [...text.matchAll(/patched\('(.+?)'\)/g)].map(([, id]) => id));
  expect(patches).toContain('await-running-chunk');
  const saved = files.map((file) => JSON.stringify(read(file)));
  const toMarker = (id = '') => Buffer.from(JSON.stringify({ id, deprecated: false })).toString('base64');
  expect(patches.filter((id) => !saved.some((text) => text.includes(toMarker(id))))).toEqual([]);
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
