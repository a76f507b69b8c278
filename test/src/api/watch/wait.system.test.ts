import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { eventually, type Holdfast, isFinished, startHoldfast } from '../../../support/holdfast.ts';
import { createOwnTemporal } from '../../../support/own-temporal.ts';

let workerless: Holdfast;

beforeAll(async () => {
  workerless = await startHoldfast();
});
afterAll(() => workerless?.stop());

const post = (query: string, at: Holdfast) => at.call('POST', `/tasks/fetch-joke${query}`);

/** Returns the answer and how long the call took. */
async function timed<T>(call: Promise<T>) {
  const started = performance.now();
  return { answer: await call, ms: performance.now() - started };
}

// Seen to fail when a sleeping wait held its slot among the calls to Temporal.
test('300 waiting calls do not delay other calls', async () => {
  const starts = vi.spyOn(workerless.client.workflowService, 'startWorkflowExecution');
  const waits = Array.from({ length: 300 }, () => post('?wait=8', workerless));
  await eventually(
    () => starts.mock.settledResults.filter(({ type }) => type === 'fulfilled').length,
    (started) => started >= 300,
  );
  const { answer, ms } = await timed(post('', workerless));
  expect(answer.status).toBe(202);
  expect(ms).toBeLessThan(2_000);
  expect((await timed(workerless.read(answer.body.id))).ms).toBeLessThan(2_000);
  expect(new Set((await Promise.all(waits)).map(({ status }) => status))).toEqual(new Set([202]));
}, 60_000);

// Seen to fail when the poller did not catch a lost read or a lost long poll.
test('a waiting call is a 202 if Temporal goes away, because the task is accepted', async () => {
  const temporal = await createOwnTemporal();
  await temporal.start();
  const own = await startHoldfast({ TEMPORAL_ADDRESS: temporal.address });
  try {
    const longPolls = vi.spyOn(own.client.workflowService, 'getWorkflowExecutionHistory');
    const waiting = timed(post('?wait=5', own));
    await eventually(
      () => longPolls.mock.calls.length,
      (open) => open >= 1,
    );
    await temporal.kill();
    const { answer, ms } = await waiting;
    expect(answer).toMatchObject({ status: 202, body: { status: 'queued' } });
    expect(ms).toBeLessThan(7_000);
    await temporal.start();
    await own.startWorker();
    expect(await own.until(answer.body.id, isFinished, 60_000)).toMatchObject({ status: 'completed' });
  } finally {
    await own.stop();
    await temporal.remove();
  }
}, 120_000);
