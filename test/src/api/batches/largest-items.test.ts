import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBatchView } from '../../../../src/api/batches/batch-view.ts';
import { toChunkId } from '../../../../src/contract.ts';
import { withBatches } from '../../../support/batches.ts';
import { type Holdfast, startHoldfast } from '../../../support/holdfast.ts';

const pageBytes = 4 * 1024 * 1024;
/** The largest input of `fetch-joke`: 64 characters of 4 bytes each. */
const category = '\u{1F600}'.repeat(64);
const otherCategory = '\u{1F680}'.repeat(64);

let holdfast: Holdfast;
beforeAll(async () => {
  holdfast = await startHoldfast({ BASE_DELAY: '1', MAX_DELAY: '1', MAX_ATTEMPTS: '1000' });
});
afterAll(() => holdfast?.stop());

// With the 4 MiB that grpc-js receives by default, every read of such a chunk was a 503, for ever. With four chunks
// read at once, reads on a busy machine exceeded their deadline.
test('a batch with the largest inputs and outputs completes although its worker changes, and is read to the last page', async () => {
  const { rules } = holdfast.jokes;
  rules.add({ when: { category }, then: [{ body: 'largest-joke' }], repeat: true });
  const outage = rules.add({ when: { category: otherCategory }, then: [{ status: 503 }], repeat: true });
  const batches = withBatches(holdfast);
  const worker = await holdfast.startWorker();
  const items = Array.from({ length: 600 }, (_, index) => ({ category: index === 0 ? otherCategory : category }));
  const { id } = await batches.submit({ items });

  await batches.untilCounts(id, ({ completed }) => completed === 599);
  await worker.stop();
  // Another worker gets the history of the first chunk from Temporal.
  await holdfast.startWorker();
  rules.add({ when: { category: otherCategory }, then: [{ body: 'largest-joke' }], repeat: true });
  rules.remove(outage);
  await batches.untilEnded(id);

  const found = await batches.readAll(id);
  expect(found.map(({ index }) => index)).toEqual(items.map((_, index) => index));
  const sizes = found.map(({ output }) => Buffer.byteLength(JSON.stringify(output ?? '')));
  expect(new Set(sizes)).toEqual(new Set([16 * 1024]));
  const { historyLength, raw } = await holdfast.client.workflow.getHandle(toChunkId(id, 0)).describe();
  expect(Number(raw.workflowExecutionInfo?.historySizeBytes)).toBeGreaterThan(pageBytes);
  expect(historyLength).toBeLessThan(500);

  // The first chunk has more than a page of items, so no other chunk is read.
  const view = createBatchView(holdfast.client);
  const { state } = await view.readState(id, 'fetch-joke', (work) => work());
  let reads = 0;
  const page = await view.readPage(state, { start: 0, limit: 1_000 }, (work) => {
    reads += 1;
    return work();
  });
  expect(Buffer.byteLength(JSON.stringify(page.items))).toBeLessThanOrEqual(pageBytes + 1024);
  expect({ reads, next: page.next }).toEqual({ reads: 1, next: page.items.length });
}, 120_000);
