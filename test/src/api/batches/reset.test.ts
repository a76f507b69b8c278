import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Runtime } from '@temporalio/worker';
import { afterAll, beforeAll, expect, inject, onTestFinished, test, vi } from 'vitest';
import type { Batch } from '../../../../src/api/batches/batch-schemas.ts';
import { toCounts, withBatches } from '../../../support/batches.ts';
import { type Holdfast, startHoldfast, startWorker } from '../../../support/holdfast.ts';
import { resetToLastTask, resetToStart } from '../../../support/operator.ts';

let holdfast: Holdfast;
let batches: ReturnType<typeof withBatches>;

beforeAll(async () => {
  holdfast = await startHoldfast({ BASE_DELAY: '4', BACKOFF_COEFFICIENT: '1', WORKER_CONCURRENCY: '100' });
  batches = withBatches(holdfast);
  await holdfast.startWorker();
});
afterAll(() => holdfast?.stop());

function addCategory(...then: object[]): string {
  const category = randomUUID();
  holdfast.jokes.rules.add({ when: { category }, then, repeat: then.length === 1 });
  return category;
}
const toCallsOf = (id: string) => holdfast.jokes.ledger().filter(({ taskKey }) => taskKey?.startsWith(`${id}/`));

/** Expects that the counts of a batch agree with its items. */
function expectTrueCounts({ completed, failed, cancelled, items = [] }: Batch) {
  expect({ completed, failed, cancelled }).toEqual(toCounts(items));
}

// Seen to fail when a chunk that already ran counted as failed: the batch completed with `failed: 1`.
test('a batch that is reset while an item is retried awaits that item, and its counts are right', async () => {
  const category = addCategory({ status: 503 }, { status: 503 }, {});
  const { id } = await batches.submit({ items: [{}, { category }] });
  await batches.until(id, ({ completed, items }) => completed === 1 && items?.[1]?.status === 'retrying');
  await resetToStart(holdfast, id);
  const during = await batches.until(id, ({ completed }) => completed === 1);
  expect(during).toMatchObject({ status: 'running', failed: 0, running: 1 });
  expectTrueCounts(during);
  const ended = await batches.untilEnded(id);
  expect(ended).toMatchObject({ status: 'completed', completed: 2, failed: 0, running: 0 });
  expectTrueCounts(ended);
  expect(ended.items?.map(({ attempts }) => attempts)).toEqual([1, 3]);
  expect(toCallsOf(id)).toHaveLength(4);
});

// Seen to fail with a second line, about the report that Temporal repeated after the reset.
test('a reset batch logs a malformed signal, but not the reports that Temporal repeats', async () => {
  const log = vi.spyOn(Runtime.instance().logger, 'log');
  onTestFinished(() => log.mockRestore());
  const category = addCategory({ status: 503 }, { status: 503 }, {});
  const { id } = await batches.submit({ items: [{}, { category }] });
  await batches.until(id, ({ completed, items }) => completed === 1 && items?.[1]?.status === 'retrying');
  await resetToStart(holdfast, id);
  await batches.until(id, ({ completed }) => completed === 1);
  await holdfast.client.workflow.getHandle(id).signal('progress', 'malformed');
  await batches.untilEnded(id);
  const lines = log.mock.calls.map(([, message]) => message).filter((message) => message.includes('signal'));
  expect(lines).toEqual(['Ignored a malformed signal: progress']);
});

test('a batch that is reset twice still awaits its chunk', async () => {
  const category = addCategory({ status: 503 }, { status: 503 }, {});
  const { id } = await batches.submit({ items: [{}, { category }] });
  await batches.until(id, ({ items }) => items?.[1]?.status === 'retrying');
  await resetToStart(holdfast, id);
  await batches.until(id, ({ completed }) => completed === 1);
  await resetToStart(holdfast, id);
  const ended = await batches.untilEnded(id);
  expect(ended).toMatchObject({ status: 'completed', completed: 2 });
  expect(toCallsOf(id)).toHaveLength(4);
});

test('a batch that an operator resets to its last workflow task awaits its chunk', async () => {
  const category = addCategory({ status: 503 }, { status: 503 }, {});
  const { id } = await batches.submit({ items: [{}, { category }] });
  await batches.until(id, ({ completed, items }) => completed === 1 && items?.[1]?.status === 'retrying');
  await resetToLastTask(holdfast, id);
  const ended = await batches.untilEnded(id);
  expect(ended).toMatchObject({ status: 'completed', completed: 2, failed: 0, running: 0 });
  expectTrueCounts(ended);
  expect(toCallsOf(id)).toHaveLength(4);
});

test('a batch cancelled after a reset cancels the chunk that its earlier run started', async () => {
  const category = addCategory({ status: 503 });
  const { id } = await batches.submit({ items: [{}, { category }] });
  await batches.until(id, ({ items }) => items?.[1]?.status === 'retrying');
  await resetToStart(holdfast, id);
  await batches.until(id, ({ completed }) => completed === 1);
  expect((await batches.cancel(id)).status).toBe(202);
  const ended = await batches.untilEnded(id);
  expect(ended).toMatchObject({ status: 'cancelled', completed: 1, cancelled: 1, running: 0 });
  // Seen to fail when only children of the current run were asked for the attempts of waiting items.
  expect(ended.items?.[1]?.attempts).toBeGreaterThan(0);
  expectTrueCounts(ended);
});

// Seen to fail when the batch took the repeated signals of its earlier run for reports of the new chunks.
test('a batch reset after its end runs every item again, and its counts are those of the current run', async () => {
  const slow = addCategory({ delayMs: 5_000 });
  const once = addCategory({ status: 404 }, {});
  const { id } = await batches.submit({ items: [{ category: slow }, { category: once }] });
  // The chunk reports this failure after 2 s. The report is one of the signals that Temporal repeats.
  expect(await batches.untilCounts(id, ({ failed }) => failed === 1)).toMatchObject({ status: 'running' });
  expect(await batches.untilEnded(id)).toMatchObject({ completed: 1, failed: 1 });
  await resetToStart(holdfast, id);
  const during = await batches.until(id, ({ completed }) => completed === 1);
  expect(during).toMatchObject({ status: 'running', completed: 1, failed: 0, running: 1 });
  const ended = await batches.untilEnded(id);
  expect(ended).toMatchObject({ status: 'completed', completed: 2, failed: 0 });
  expectTrueCounts(ended);
});

// Seen to fail when only the result of the chunk's first run counted: `failed: 1` although no item has failed.
test('a chunk that an operator reset after its end changes the counts of its open batch', async () => {
  const once = addCategory({ status: 404 }, {});
  const slow = addCategory({ status: 503 }, { status: 503 }, {});
  // The first 500 items are one chunk, the last item is another.
  const items = [...Array(499).fill({}), { category: once }, { category: slow }];
  const { id } = await batches.submit({ items });
  await batches.until(id, ({ completed, failed }) => completed === 499 && failed === 1);
  await resetToStart(holdfast, `${id}~0`);
  const ended = await batches.untilEnded(id);
  expect(ended).toMatchObject({ status: 'completed', completed: 501, failed: 0, running: 0 });
  expectTrueCounts(ended);
});

test('a chunk that is reset while an item is retried is awaited, and its counts are right', async () => {
  const category = addCategory({ status: 503 }, { status: 503 }, {});
  const { id } = await batches.submit({ items: [{}, { category }] });
  await batches.until(id, ({ items }) => items?.[1]?.status === 'retrying');
  await resetToStart(holdfast, `${id}~0`);
  const ended = await batches.untilEnded(id);
  expect(ended).toMatchObject({ status: 'completed', completed: 2, failed: 0, running: 0 });
  expectTrueCounts(ended);
});

// Seen to fail without the check: the batch waited for ever for a report.
test('a chunk that an operator terminates while a reset batch awaits it runs again', async () => {
  const category = addCategory({ status: 503 });
  const code = readFileSync(inject('workflowBundle'), 'utf8');
  const hurried = code.replace('checkMs = 300000', 'checkMs = 1000');
  expect(hurried).not.toBe(code);
  const lone = await startHoldfast({ API_BASE_URL: holdfast.jokes.url, BASE_DELAY: '60' });
  const worker = await startWorker(lone.config, undefined, { code: hurried });
  try {
    const ours = withBatches(lone);
    const { id } = await ours.submit({ items: [{}, { category }] });
    await ours.until(id, ({ items }) => items?.[1]?.status === 'retrying');
    await resetToStart(lone, id);
    await ours.until(id, ({ completed }) => completed === 1);
    holdfast.jokes.rules.add({ when: { category }, then: [{}], repeat: true });
    await lone.client.workflow.getHandle(`${id}~0`).terminate('by an operator');
    const ended = await ours.untilEnded(id);
    expect(ended).toMatchObject({ status: 'completed', completed: 2, failed: 0, running: 0 });
    expectTrueCounts(ended);
  } finally {
    await worker.stop();
    await lone.stop();
  }
});
