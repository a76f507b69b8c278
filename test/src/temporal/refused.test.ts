import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBatchId, createTaskId } from '../../../src/api/views/task-id.ts';
import { startDenyingTemporal } from '../../support/denying-temporal.ts';
import { type Holdfast, startHoldfast } from '../../support/holdfast.ts';
import { expectProblem } from '../../support/problem.ts';

const namespace = `missing-${randomUUID()}`;
let denying: Awaited<ReturnType<typeof startDenyingTemporal>>;
let withoutNamespace: Holdfast;
let denied: Holdfast;

beforeAll(async () => {
  denying = await startDenyingTemporal();
  withoutNamespace = await startHoldfast({ TEMPORAL_NAMESPACE: namespace, RATE_LIMIT: '100' });
  denied = await startHoldfast({ TEMPORAL_ADDRESS: denying.address, RATE_LIMIT: '100' });
});
afterAll(async () => {
  await Promise.all([withoutNamespace, denied].map((each) => each?.stop()));
  denying?.close();
});

const id = createTaskId('local', 'fetch-joke');
const batchId = createBatchId('local', 'fetch-joke');
const json = { 'content-type': 'application/json' };

/** Expects that no call says that a task is missing, and that no submission may have started something. */
async function expectRefused(holdfast: Holdfast) {
  for (const path of ['/tasks', '/tasks?status=retrying', `/tasks/${id}`, `/tasks/${id}/events`, `/batches/${batchId}`])
    expectProblem(await holdfast.call('GET', path), 'internal-error');
  const submissions = [
    ['/tasks/fetch-joke', {}],
    ['/tasks/fetch-joke?wait=1', {}],
    ['/tasks/fetch-joke', { headers: { 'idempotency-key': randomUUID() } }],
    ['/batches/fetch-joke', { headers: json, body: '{"count":1}' }],
    [`/tasks/${id}/rerun`, {}],
    [`/tasks/${id}/cancel`, {}],
    [`/batches/${batchId}/cancel`, {}],
  ] as const;
  for (const [path, init] of submissions) {
    const { outcome } = expectProblem(await holdfast.call('POST', path, init), 'internal-error');
    expect({ path, outcome }).toEqual({ path, outcome: 'not-started' });
  }
  const { headers } = await holdfast.call('POST', '/tasks/fetch-joke');
  expect(headers.get('ratelimit')).toMatch(/^"submissions";r=100;/);
  const { text } = await holdfast.fetch('GET', '/metrics');
  expect(text).toContain('holdfast_submissions_total{task="fetch-joke",outcome="refused"} 6');
}

// Seen to fail when every NOT_FOUND was a 404: "There is no task of this id", also from `/ready` and `GET /tasks`.
test('with a missing namespace `/ready` names it in a 503, and every other call is a 500 that started nothing', async () => {
  const ready = await withoutNamespace.call('GET', '/ready');
  expect(expectProblem(ready, 'not-ready').detail).toContain(namespace);
  expect(ready.headers.get('retry-after')).toMatch(/^\d+$/);
  await expectRefused(withoutNamespace);
});

// Seen to fail when `/ready` answered 500 and the outcome was unknown.
test('without permission `/ready` says so in a 503, and every other call is a 500 that started nothing', async () => {
  expect(expectProblem(await denied.call('GET', '/ready'), 'not-ready').detail).toMatch(/denies access/);
  await expectRefused(denied);
});
