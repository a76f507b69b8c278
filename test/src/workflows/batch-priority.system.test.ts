import { afterAll, beforeAll, expect, test } from 'vitest';
import { withBatches } from '../../support/batches.ts';
import { type Holdfast, isFinished, startHoldfast } from '../../support/holdfast.ts';

let holdfast: Holdfast;

beforeAll(async () => {
  holdfast = await startHoldfast();
  await holdfast.startWorker();
});
afterAll(() => holdfast?.stop());

/** Returns the seconds from the submission of a single task until its end. */
async function measureSingle(): Promise<number> {
  const started = performance.now();
  const { id } = await holdfast.submit();
  await holdfast.until(id, isFinished);
  return (performance.now() - started) / 1_000;
}

/**
 * The 2,000 items in flight take 40 s (ten places, 0.2 s per item). A task behind them in the queue would wait as long.
 * Seen to fail without the batch's priority, and on a server without `matching.useNewMatcher`.
 */
test('single tasks overtake a batch of 2,000: none takes two seconds, and the batch continues', async () => {
  const category = 'priority';
  holdfast.jokes.rules.add({ when: { category }, then: [{ delayMs: 200 }], repeat: true });
  const batches = withBatches(holdfast);
  const { id } = await batches.submit({ count: 2_000, input: { category } });
  const begun = await batches.until(id, ({ completed }) => completed > 0);
  const seconds: number[] = [];
  while (seconds.length < 10) seconds.push(await measureSingle());
  expect(Math.max(...seconds)).toBeLessThan(2);
  const { running } = await batches.until(id, ({ completed }) => completed > begun.completed);
  expect(running).toBeGreaterThan(400);
  await batches.cancel(id);
  await batches.untilEnded(id);
}, 120_000);
