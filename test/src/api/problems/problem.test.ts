import { NamespaceNotFoundError, ServiceError, WorkflowNotFoundError } from '@temporalio/client';
import { HTTPException } from 'hono/http-exception';
import { expect, test } from 'vitest';
import { orNotFound, toNoTaskProblem, toProblem } from '../../../../src/api/problems/problem.ts';
import { toTemporalError } from '../../../../src/temporal/errors.ts';

/** Creates an error as the client library throws it: its own class around gRPC's error. */
const lost = (code: number, details: string) =>
  new ServiceError('call failed', {
    cause: Object.assign(new Error(details), { code, details, metadata: {} }),
  });

test.each([
  [14, 'No connection established. Last error: refused', 'not-started'],
  [8, 'namespace rate limit exceeded', 'not-started'],
  [14, 'Connection dropped', 'unknown'],
  [4, 'Deadline exceeded', 'unknown'],
])('gRPC status %i (%s) is a 503 whose outcome is %s', (code, details, outcome) => {
  expect(toProblem(toTemporalError(lost(code, details)))).toMatchObject({ slug: 'temporal-unavailable', outcome });
});

// Seen to fail when every gRPC failure was a 503: a wrong Temporal key would have looked like an outage forever.
test.each([
  [7, 'permission denied'],
  [16, 'unauthenticated'],
  [3, 'invalid argument'],
  [12, 'unknown method'],
])('gRPC status %i (%s), which no retry can fix, is a 500 that started nothing', (code, details) => {
  const problem = toProblem(toTemporalError(lost(code, details)));
  expect(problem).toMatchObject({ slug: 'internal-error', outcome: 'not-started' });
});

// Seen to fail when every NOT_FOUND was "There is no task of this id".
test('NOT_FOUND is a 404 only for a call about one execution', async () => {
  const missing = new WorkflowNotFoundError('not found', 'id', undefined);
  expect(toProblem(toTemporalError(missing))).toMatchObject({ slug: 'internal-error' });
  await expect(orNotFound(Promise.reject(missing), toNoTaskProblem)).rejects.toMatchObject({ slug: 'not-found' });
  const namespace = new NamespaceNotFoundError('missing');
  // The SDK does not convert the errors of raw calls.
  const details = { code: 5, details: '', metadata: { get: () => ['NamespaceNotFoundFailure'] } };
  for (const error of [namespace, Object.assign(new Error('NOT_FOUND'), details)])
    await expect(orNotFound(Promise.reject(error), toNoTaskProblem)).rejects.toBe(error);
  expect(toProblem(toTemporalError(namespace))).toMatchObject({ slug: 'internal-error', outcome: 'not-started' });
});

// Seen to fail when the status alone chose the problem: 409 was about a task, 503 about Temporal, 429 about a limit.
test.each([
  [400, 'bad-request'],
  [401, 'unauthorized'],
  [404, 'not-found'],
  [413, 'body-too-large'],
  [409, 'internal-error'],
  [429, 'internal-error'],
  [500, 'internal-error'],
  [503, 'internal-error'],
] as const)('status %i of the framework is the problem %s', (status, slug) => {
  const { message, ...problem } = toProblem(new HTTPException(status));
  expect(problem).toMatchObject({ slug });
  expect(message).toMatch(/\S/);
});
