import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Task } from '../../../../src/api/views/schemas.ts';
import { eventually, type Holdfast, isFinished, startHoldfast } from '../../../support/holdfast.ts';
import { expectProblem } from '../../../support/problem.ts';

let holdfast: Holdfast;

beforeAll(async () => {
  holdfast = await startHoldfast();
  await holdfast.startWorker();
});
afterAll(() => holdfast.stop());

const submit = (query: string) => holdfast.call('POST', `/tasks/fetch-joke${query}`);

// Seen to fail when the start had no delay.
test('a delayed task is scheduled until its time, and its first attempt does not start earlier', async () => {
  const { status, body } = await submit('?delay=2.5');
  expect(status).toBe(202);
  expect(body).toMatchObject({ status: 'scheduled', attempt: 1 });
  expect(await holdfast.read(body.id)).toMatchObject({ status: 'scheduled', attempt: 1 });
  // The list lags behind a little, and has the tasks of other tests too.
  const listed: Task[] = await eventually(
    async () => (await holdfast.call('GET', '/tasks?status=scheduled&limit=1000')).body.items,
    (items: Task[]) => items.some(({ id }) => id === body.id),
  );
  expect(new Set(listed.map(({ status }) => status))).toEqual(new Set(['scheduled']));
  expect(await holdfast.until(body.id, isFinished)).toMatchObject({ status: 'completed', attempt: 1 });
  const [call] = holdfast.jokes.ledger({ taskKey: body.id });
  const waitedMs = (call?.startedAt ?? 0) - Date.parse(body.submittedAt);
  // The server counts from when it receives the start, which is later. Its clock is the same.
  expect(waitedMs).toBeGreaterThanOrEqual(2_490);
  expect(waitedMs).toBeLessThan(12_500);
});

test('a scheduled task can be cancelled at once, and never calls the upstream', async () => {
  const { body } = await submit('?delay=3600');
  const { status } = await holdfast.call('POST', `/tasks/${body.id}/cancel`);
  expect(status).toBe(202);
  const task = await holdfast.until(body.id, isFinished);
  expect(task.status).toBe('cancelled');
  expect(holdfast.jokes.ledger({ taskKey: body.id })).toEqual([]);
});

test('a missing delay equals a delay of 0', async () => {
  const { body } = await submit('?delay=0');
  expect(body.status).toBe('queued');
});

const malformed = ['', '-1', 'abc', '1e3', '5s', '2592001', '99999999', 'Infinity', '0x10', '1.2345'];

test.each([...malformed.map((delay) => `?delay=${delay}`), '?delay=1&delay=2', '?delay=1&colour=red', '?Delay=1'])(
  '%s is a 400 that names the parameter',
  async (query) => {
    const { errors } = expectProblem(await submit(query), 'bad-request');
    expect(errors).toEqual([
      { pointer: expect.stringMatching(/^#\/(delay|colour|Delay)$/), detail: expect.any(String) },
    ]);
  },
);
