import { expect, test } from 'vitest';
import { toTaskLine } from '../../cli/task/lines.ts';
import type { Task } from '../../src/api/views/schemas.ts';

const task: Task = {
  id: 'id',
  name: 'fetch-joke',
  input: {},
  status: 'queued',
  attempt: 2,
  maxAttempts: 5,
  submittedAt: '2026-11-23T12:00:00.000Z',
  links: { self: '/tasks/id' },
};

test.each([
  [{}, 'attempt 2/5, paused in Temporal'],
  [{ by: 'ops@example.com' }, 'attempt 2/5, paused in Temporal by ops@example.com'],
  [{ by: 'ops', reason: 'moved\u001b[2J' }, 'attempt 2/5, paused in Temporal by ops (moved\\u001b[2J)'],
])('the line of a task paused with %j says so', (paused, details) => {
  expect(
    toTaskLine({ ...task, paused }, 'short')
      .split('  ')
      .at(-1),
  ).toBe(details);
});
