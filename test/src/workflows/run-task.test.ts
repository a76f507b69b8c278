import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../../support/holdfast.ts';
import { startTimeSkipping } from '../../support/time-skipping.ts';

let skipping: Awaited<ReturnType<typeof startTimeSkipping>>;

beforeAll(async () => {
  skipping = await startTimeSkipping();
});
afterAll(() => skipping.stop());

const unavailable = { status: 503 };
const exhausted = { type: 'UpstreamUnavailable', retryState: 'MAXIMUM_ATTEMPTS_REACHED' };

/** Expects waits that are at least as long as the policy's, and longer only by the time to start an attempt. */
function expectWaits(waits: number[], policy: number[]): void {
  expect(waits).toHaveLength(policy.length);
  for (const [index, wait] of waits.entries()) {
    expect(wait).toBeGreaterThanOrEqual(policy[index] ?? Number.NaN);
    expect(wait).toBeLessThan((policy[index] ?? Number.NaN) + 0.9);
  }
}

test('a task whose upstream answers ends with the joke after one attempt', async () => {
  const { output, calls } = await skipping.run({}, [{}]);
  expect(output).toEqual({ id: expect.any(String), joke: expect.any(String), url: expect.stringMatching(/^http/) });
  expect(calls.map(({ attempt, status }) => ({ attempt, status }))).toEqual([{ attempt: 1, status: 200 }]);
});

// Seen to fail with `backoffCoefficient: 1` in toActivityOptions: waits of 2, 2, 2, 2.
test('waits 2, 4, 8 and 16 seconds between five attempts, then fails', async () => {
  const { failure, waits, calls } = await skipping.run({}, [unavailable], true);
  expectWaits(waits, [2, 4, 8, 16]);
  expect(failure).toEqual(exhausted);
  expect(calls.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5]);
});

test('waits 32 seconds before the sixth of six attempts', async () => {
  const { waits, failure } = await skipping.run({ MAX_ATTEMPTS: '6' }, [unavailable], true);
  expectWaits(waits, [2, 4, 8, 16, 32]);
  expect(failure).toEqual(exhausted);
});

test('no wait is longer than the maximum interval', async () => {
  const { waits } = await skipping.run({ MAX_ATTEMPTS: '10', MAX_DELAY: '60' }, [unavailable], true);
  expectWaits(waits, [2, 4, 8, 16, 32, 60, 60, 60, 60]);
});

test('a task succeeds with the first attempt after the upstream has recovered', async () => {
  const { output, waits } = await skipping.run({}, [unavailable, { body: 'truncated-json' }, { reset: 'mid-body' }]);
  expect(output).toBeDefined();
  expectWaits(waits, [2, 4, 8]);
});

test('a final failure ends the task at once although attempts are left', async () => {
  const { failure, waits } = await skipping.run({}, [{ status: 404 }], true);
  expect(failure).toEqual({ type: 'UpstreamRejected', retryState: 'NON_RETRYABLE_FAILURE' });
  expect(waits).toEqual([]);
});

test('a failure type named in NON_RETRYABLE_ERRORS is final too', async () => {
  const { failure, waits } = await skipping.run({ NON_RETRYABLE_ERRORS: 'UpstreamUnavailable' }, [unavailable], true);
  expect(failure).toEqual({ type: 'UpstreamUnavailable', retryState: 'NON_RETRYABLE_FAILURE' });
  expect(waits).toEqual([]);
});

test('an attempt at a hanging upstream ends at its deadline and is retried after the usual wait', async () => {
  const { output, waits, calls } = await skipping.run({ JOB_TIMEOUT: '0.5' }, [{ hang: 'headers' }, { hang: 'body' }]);
  expect(output).toBeDefined();
  expect(waits[0]).toBeGreaterThanOrEqual(2);
  expect(calls.map(({ outcome }) => outcome)).toEqual(['hung', 'hung', 'answered']);
});

test('Retry-After lengthens a wait up to the maximum interval and never shortens it', async () => {
  const limited = (retryAfter: string) => ({ status: 429, retryAfter });
  const { waits } = await skipping.run({ MAX_ATTEMPTS: '7', MAX_DELAY: '60' }, [
    limited('7'),
    limited('1'),
    limited('31536000'),
    limited('soon'),
    limited('-5'),
    limited('0'),
  ]);
  expectWaits(waits, [7, 4, 60, 16, 32, 60]);
});

test('jitter only lengthens a wait, and at most by its share', async () => {
  const { waits } = await skipping.run({ JITTER: '0.5' }, [unavailable], true);
  expect(waits).toHaveLength(4);
  for (const [index, wait] of waits.entries()) {
    expect(wait).toBeGreaterThanOrEqual(2 ** (index + 1));
    expect(wait).toBeLessThanOrEqual(2 ** (index + 1) * 1.5 + 0.9);
  }
});

test('an attempt whose heartbeats stop times out and is retried', async () => {
  const { failure, calls } = await skipping.runSilent({ MAX_ATTEMPTS: '2', JOB_TIMEOUT: '0.9' });
  expect(failure).toEqual({ type: 'HEARTBEAT', retryState: 'MAXIMUM_ATTEMPTS_REACHED' });
  expect(calls).toBe(2);
});

/** Cancels the task once the upstream has its first call. Expects that it ends as cancelled. */
async function expectCancelled({
  handle,
  result,
  category,
}: Awaited<ReturnType<typeof skipping.start>>): Promise<void> {
  await eventually(
    () => skipping.jokes.ledger({ category }).length,
    (calls) => calls === 1,
  );
  await handle.cancel();
  await expect(result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
  expect((await handle.describe()).status.name).toBe('CANCELLED');
}

test('a task cancelled between two attempts ends as cancelled and makes no further call', async () => {
  const started = await skipping.start({ MAX_DELAY: '3600', BASE_DELAY: '3600' }, [unavailable], true);
  await expectCancelled(started);
  expect(skipping.jokes.ledger({ category: started.category })).toHaveLength(1);
});

test('a task cancelled in mid-attempt waits for the attempt and ends as cancelled', async () => {
  const started = await skipping.start({ JOB_TIMEOUT: '30', HEARTBEAT_TIMEOUT: '1' }, [{ hang: 'headers' }], true);
  await expectCancelled(started);
  expect(skipping.jokes.ledger({ category: started.category })).toMatchObject([{ outcome: 'hung' }]);
});

// Seen to fail without throwIfCancelled in run-task.ts: COMPLETED and FAILED.
test.each([
  ['well', {}],
  ['with a final failure', { status: 404 }],
])('a cancelled task ends as cancelled although its running attempt ends %s', async (_, behaviour) => {
  const started = await skipping.start({}, [{ delayMs: 500, ...behaviour }]);
  await expectCancelled(started);
  expect(skipping.jokes.ledger({ category: started.category })).toMatchObject([{ outcome: 'answered' }]);
});
