import { ServiceError } from '@temporalio/client';
import { expect, test } from 'vitest';
import { toProblem } from '../../../../src/api/problems/problem.ts';
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
])('gRPC status %i (%s), which no retry can fix, is a 500', (code, details) => {
  expect(toProblem(toTemporalError(lost(code, details)))).toMatchObject({ slug: 'internal-error' });
});
