import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Holdfast, isFinished, startHoldfast } from '../support/holdfast.ts';

let holdfast: Holdfast;

beforeAll(async () => {
  holdfast = await startHoldfast({ BASE_DELAY: '1' });
  await holdfast.startWorker();
});
afterAll(() => holdfast.stop());

test('a POST with no body and no content type answers 202 at once, and the task ends with a joke', async () => {
  const { status, headers, body } = await holdfast.call('POST', '/tasks/fetch-joke');
  expect(status).toBe(202);
  expect(headers.get('location')).toBe(`/tasks/${body.id}`);
  expect(body).toMatchObject({ name: 'fetch-joke', input: {}, status: 'queued', attempt: 1, maxAttempts: 5 });
  const task = await holdfast.until(body.id, isFinished);
  expect(task).toMatchObject({ status: 'completed', attempt: 1, submittedAt: body.submittedAt });
  const [call] = holdfast.jokes.ledger({ taskKey: task.id });
  expect(call).toMatchObject({ attempt: 1, status: 200, outcome: 'answered' });
});
