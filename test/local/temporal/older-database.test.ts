import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withBatches } from '../../support/batches.ts';
import { eventually, type Holdfast, isFinished, startHoldfast } from '../../support/holdfast.ts';
import { createOwnTemporal } from '../../support/own-temporal.ts';

// A database of server 1.29.1 (Temporal CLI 1.5.1), made by the code before Temporal 1.32 and stopped with Ctrl-C. Its
// retention is ten years. One task was running, one waited for a retry, and one for its start in 30 days. The batch had
// items in all states.
const read = (suffix: string) => readFileSync(new URL(`../../databases/temporal-1.29.1.${suffix}`, import.meta.url));
const ids: Record<string, string> = JSON.parse(read('json').toString());

let temporal: Awaited<ReturnType<typeof createOwnTemporal>>;
let holdfast: Holdfast;

beforeAll(async () => {
  temporal = await createOwnTemporal(gunzipSync(read('db.gz')));
  await temporal.start();
  holdfast = await startHoldfast({ TEMPORAL_ADDRESS: temporal.address, TASK_QUEUE: 'holdfast' });
});
afterAll(async () => {
  await holdfast?.stop();
  await temporal?.remove();
});

test('the tasks of an older server are read, listed, cancelled, resumed and finished by this server', async () => {
  const { done = '', keyed = '', failed = '', open = '', retrying = '', delayed = '', cancelled = '' } = ids;
  expect(await holdfast.read(done)).toMatchObject({ status: 'completed', output: { joke: expect.any(String) } });
  expect(await holdfast.read(failed)).toMatchObject({ status: 'failed', failure: { type: 'UpstreamRejected' } });
  expect(await holdfast.read(cancelled)).toMatchObject({ status: 'cancelled' });
  const replay = await eventually(
    () => holdfast.call('POST', '/tasks/fetch-joke', { headers: { 'idempotency-key': 'old-key' } }),
    ({ status }) => status !== 503,
  );
  expect(replay).toMatchObject({ status: 202, body: { id: keyed } });
  const { body } = await holdfast.call('GET', '/tasks?limit=1000');
  const listed = (body.items as { id: string }[]).map(({ id }) => id);
  expect(listed.sort()).toEqual([done, keyed, failed, open, retrying, delayed, cancelled].sort());

  await holdfast.call('POST', `/tasks/${delayed}/cancel`);
  await holdfast.startWorker();
  expect(await holdfast.until(open, isFinished)).toMatchObject({ status: 'completed', attempt: 2 });
  expect(await holdfast.until(retrying, isFinished)).toMatchObject({ status: 'completed', attempt: 2 });
  expect((await holdfast.until((await holdfast.submit()).id, isFinished)).status).toBe('completed');
});

test('a batch of an older server goes on and ends well', async () => {
  const batches = withBatches(holdfast);
  const { batch = '', batchDone = '' } = ids;
  expect(await batches.read(batchDone)).toMatchObject({ status: 'completed', completed: 2 });
  await holdfast.startWorker();
  const ended = await batches.untilEnded(batch);
  expect(ended.items?.map(({ status }) => status)).toEqual([...Array(4).fill('completed'), 'failed']);
});
