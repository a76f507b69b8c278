import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BatchMemo } from '../../../src/contract.ts';
import { withBatches } from '../../support/batches.ts';
import { type Holdfast, startHoldfast } from '../../support/holdfast.ts';

let holdfast: Holdfast;
let batches: ReturnType<typeof withBatches>;

beforeAll(async () => {
  holdfast = await startHoldfast({ BASE_DELAY: '2' });
  batches = withBatches(holdfast);
  await holdfast.startWorker();
});
afterAll(() => holdfast?.stop());

/** Submits a batch of two items, of which one is retried. */
async function submit(): Promise<string> {
  const category = randomUUID();
  holdfast.jokes.rules.add({ when: { category }, then: [{ status: 503 }] });
  const { id } = await batches.submit({ items: [{}, { category }] });
  await batches.until(id, ({ items }) => items?.[1]?.status === 'retrying');
  return id;
}
const counts = { completed: 1, failed: 0, cancelled: 0 };

// Seen to fail when a handler read what came: it threw, and the batch ran for ever.
test('a malformed `progress` signal of an operator is ignored, and the batch ends', async () => {
  const id = await submit();
  await holdfast.client.workflow.getHandle(id).signal('progress', 'malformed');
  expect(await batches.untilEnded(id)).toMatchObject({ status: 'completed', completed: 2, failed: 0 });
});

// Seen to fail without the interceptor: the SDK decodes the arguments before any handler can refuse them.
test('a signal whose arguments cannot be decoded is ignored, and the batch ends', async () => {
  const id = await submit();
  for (const [signalName, encoding] of [
    ['progress', 'json/plain'],
    ['attempts', 'binary/encrypted'],
  ] as const)
    await holdfast.client.workflowService.signalWorkflowExecution({
      namespace: holdfast.config.temporal.namespace,
      workflowExecution: { workflowId: id },
      signalName,
      input: { payloads: [{ metadata: { encoding: Buffer.from(encoding) }, data: Buffer.from('no JSON') }] },
    });
  expect(await batches.untilEnded(id)).toMatchObject({ status: 'completed', completed: 2, failed: 0 });
});

test('a report that arrives after the end of its chunk does not lower the counts of the batch', async () => {
  const category = randomUUID();
  holdfast.jokes.rules.add({ when: { category }, then: [{ status: 503 }, { status: 503 }, {}] });
  // The first 500 items are one chunk, the last item is another.
  const { id } = await batches.submit({ items: [...Array(500).fill({}), { category }] });
  await batches.until(id, ({ completed }) => completed === 500);
  await holdfast.client.workflow.getHandle(id).signal('progress', `${id}~0`, counts, false);
  expect(await batches.untilEnded(id)).toMatchObject({ status: 'completed', completed: 501, running: 0 });
});

test('malformed signals change nothing and stop nothing', async () => {
  const id = await submit();
  const batch = holdfast.client.workflow.getHandle(id);
  const chunk = `${id}~0`;
  const malformed: unknown[][] = [
    [],
    [null],
    [chunk],
    [chunk, null],
    [chunk, 'text'],
    [chunk, []],
    [chunk, { completed: 1 }],
    [chunk, { ...counts, failed: -1 }],
    [chunk, { ...counts, failed: 0.5 }],
    [chunk, { ...counts, completed: '1' }],
    [chunk, { ...counts, completed: 3 }],
    [`${id}~1`, counts],
    [{}, counts],
    [chunk, { ...counts, completed: 2 }, 'text'],
    [chunk, { ...counts, completed: 0, failed: 2 }, 'text'],
  ];
  for (const args of malformed) await batch.signal('progress', ...args);
  for (const args of [[], [null], ['text'], [[1]], [{ 0: 'one' }], [{ 0: -1 }], [{ item: 1 }]])
    await batch.signal('attempts', ...args);
  await batch.signal('unknown', 'text');
  await holdfast.client.workflow.getHandle(chunk).signal('report', 'text');
  const ended = await batches.untilEnded(id);
  expect(ended).toMatchObject({ status: 'completed', completed: 2, failed: 0, cancelled: 0 });
  const { attempts, progress } = (await batch.describe()).memo as BatchMemo;
  expect({ attempts, progress }).toEqual({ progress: { completed: 2, failed: 0, cancelled: 0 } });
});
