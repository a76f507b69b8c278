import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Holdfast, isFinished, startHoldfast } from '../support/holdfast.ts';

let holdfast: Holdfast;

beforeAll(async () => {
  holdfast = await startHoldfast();
  await holdfast.startWorker();
});
afterAll(() => holdfast.stop());

// The only test in real time: a real server, a real upstream with its own clock, and the default policy.
test('the upstream sees 2, 4, 8 and 16 seconds (± 1) between the five attempts of a failing task', async () => {
  holdfast.jokes.rules.add({ when: { category: 'broken' }, then: [{ status: 503 }], repeat: true });
  const { id } = await holdfast.submit({ category: 'broken' });
  const task = await holdfast.until(id, isFinished, 50_000);
  expect(task).toMatchObject({ status: 'failed', attempt: 5, failure: { reason: 'attempts-exhausted' } });
  const calls = holdfast.jokes.ledger({ taskKey: id });
  const waits = calls.slice(1).map(({ startedAt }, index) => (startedAt - (calls[index]?.endedAt ?? 0)) / 1_000);
  expect(waits).toHaveLength(4);
  for (const [index, wait] of waits.entries()) {
    expect(Math.abs(wait - 2 ** (index + 1))).toBeLessThanOrEqual(1);
  }
});
