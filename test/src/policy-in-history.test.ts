import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Holdfast, startHoldfast } from '../support/holdfast.ts';

const seconds = (duration: { seconds?: unknown; nanos?: number | null } | null | undefined) =>
  Number(duration?.seconds ?? 0) + (duration?.nanos ?? 0) / 1e9;

let holdfast: Holdfast;

beforeAll(async () => {
  holdfast = await startHoldfast({
    JOB_TIMEOUT: '77',
    HEARTBEAT_TIMEOUT: '7',
    MAX_ATTEMPTS: '9',
    BASE_DELAY: '3.5',
    BACKOFF_COEFFICIENT: '1.5',
    MAX_DELAY: '66',
    JITTER: '0.25',
    NON_RETRYABLE_ERRORS: 'UpstreamTimeout,TemporalTimeout:StartToClose',
  });
  await holdfast.startWorker();
});
afterAll(() => holdfast.stop());

// Seen to fail with any line of toActivityOptions removed.
test("a task's ActivityTaskScheduled event has every variable of the policy", async () => {
  const { id } = await holdfast.submit({ category: 'dev' });
  await holdfast.until(id, (task) => task.status === 'completed');
  const { events } = await holdfast.client.workflow.getHandle(id).fetchHistory();
  const scheduled = events?.map((event) => event.activityTaskScheduledEventAttributes).find(Boolean);
  expect(seconds(scheduled?.startToCloseTimeout)).toBe(77);
  expect(seconds(scheduled?.heartbeatTimeout)).toBe(7);
  expect(seconds(scheduled?.retryPolicy?.initialInterval)).toBe(3.5);
  expect(seconds(scheduled?.retryPolicy?.maximumInterval)).toBe(66);
  expect(scheduled?.retryPolicy).toMatchObject({ maximumAttempts: 9, backoffCoefficient: 1.5 });
  expect(scheduled?.retryPolicy?.nonRetryableErrorTypes).toEqual([
    'UpstreamRejected',
    'UpstreamRedirected',
    'InvalidResponse',
    'ResponseTooLarge',
    'UpstreamTimeout',
    'TemporalTimeout:StartToClose',
  ]);
  const inputs = scheduled?.input?.payloads?.map(({ data }) => JSON.parse(Buffer.from(data ?? []).toString()));
  expect(inputs).toEqual([{ category: 'dev' }, { jitter: 0.25 }]);
});
