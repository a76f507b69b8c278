import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';
import { expect, inject, test } from 'vitest';
import { quietRuntime } from '../../../local/time-skipping/quiet-runtime.ts';

const directory = fileURLToPath(new URL('../../histories', import.meta.url));
const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'));
type History = { events: { workflowExecutionStartedEventAttributes: { workflowId?: string } }[] };
const read = (file: string): History => JSON.parse(readFileSync(`${directory}/${file}`, 'utf8'));

quietRuntime();
/** Replays a history under its own workflow id, because a batch derives its chunks' ids from its own. */
const replay = (history: History) =>
  Worker.runReplayHistory(
    { workflowBundle: { codePath: inject('workflowBundle') } },
    history,
    history.events[0]?.workflowExecutionStartedEventAttributes.workflowId,
  );

test('the saved histories contain a completed, a failed and a cancelled task', () => {
  const ends = new Set(files.map((file) => file.split('/').at(-1)?.split('-')[0]));
  expect(ends).toEqual(new Set(['completed', 'failed', 'cancelled']));
});

test.each(files)("today's workflow code replays %s", async (file) => {
  await expect(replay(read(file))).resolves.toBeUndefined();
});

test('a history that differs from the code is refused', async () => {
  const text = readFileSync(`${directory}/${files[0]}`, 'utf8');
  const foreign = JSON.parse(
    text.replaceAll(/"activityType": \{\s*"name": "fetch-joke"/g, '"activityType": {"name": "other"'),
  );
  await expect(replay(foreign)).rejects.toThrow(/Nondeterminism/);
});
