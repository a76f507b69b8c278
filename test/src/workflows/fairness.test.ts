import { afterAll, beforeAll, expect, test } from 'vitest';
import { toChunkId } from '../../../src/contract.ts';
import { withBatches } from '../../support/batches.ts';
import { eventually, type Holdfast, isFinished, startHoldfast } from '../../support/holdfast.ts';
import { signIn, toSecret } from '../../support/signed-in.ts';

const who = (holdfast: Holdfast, owner: string) => signIn(holdfast, toSecret(`fair-${owner}`));
let holdfast: Holdfast;

beforeAll(async () => {
  const API_KEYS = ['crowd', 'single'].map((owner) => `fair-${owner}:${toSecret(`fair-${owner}`)}`).join(',');
  holdfast = await startHoldfast({ API_KEYS, WORKER_CONCURRENCY: '1' });
});
afterAll(() => holdfast?.stop());

// Seen to fail without the fairness key, and on a server without `matching.enableFairness`: call 41 of 41.
test("a task behind another key's 40 tasks is among the first calls", async () => {
  const crowd = who(holdfast, 'crowd');
  for (let count = 0; count < 40; count += 1) await crowd.submit({ category: 'crowd' });
  const single = who(holdfast, 'single');
  const { id } = await single.submit({ category: 'single' });
  const worker = await holdfast.startWorker();
  await single.until(id, isFinished);
  await eventually(
    () => worker.attempts.length,
    (attempts) => attempts >= 41,
  );
  const order = holdfast.jokes.ledger({}).map(({ category }) => category);
  expect(order.indexOf('single')).toBeLessThan(10);
});

test('the items of a batch have the fairness key of its owner', async () => {
  const { id } = await withBatches(who(holdfast, 'crowd')).submit({ count: 2, input: { category: 'items' } });
  const [ownerHash] = id.split('_');
  const chunk = await eventually(
    () =>
      holdfast.client.workflow
        .getHandle(toChunkId(id, 0))
        .describe()
        .catch(() => undefined),
    (found) => found !== undefined,
  );
  expect(chunk?.raw.workflowExecutionInfo?.priority?.fairnessKey).toBe(ownerHash);
});
