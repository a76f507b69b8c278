import { expect } from 'vitest';
import { type ProblemSlug, problems } from '../../src/api/problems/problems.ts';

export type Answer = { status: number; headers: Headers; text: string };

/** Internals that no answer may show: a stack, a file path, an address, a version, or names of components. */
const internals =
  /\n\s+at |node_modules|\/(home|root|usr|tmp|src|test)\/|\.[cm]?[jt]s:\d|\b\d{1,3}(\.\d{1,3}){3}\b|\b\d+\.\d+\.\d+\b|grpc|ECONN|undici|hono|\bnode\b/i;

/** Checks the headers of every answer, whether it comes from the application, the adapter or the parser. */
export function expectSafeHeaders({ headers }: Pick<Answer, 'headers'>): void {
  expect(Object.fromEntries(headers)).toMatchObject({
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    'content-security-policy': expect.stringContaining("default-src 'none'"),
    'referrer-policy': 'no-referrer',
  });
  for (const name of ['server', 'x-powered-by', 'access-control-allow-origin']) expect(headers.has(name)).toBe(false);
}

/** Checks that the answer is this problem, complete (RFC 9457), shows no internals and has the usual headers. */
export function expectProblem(answer: Answer, slug: ProblemSlug) {
  const { status, title } = problems[slug];
  const body = answer.text && JSON.parse(answer.text);
  expect({ status: answer.status, body }).toMatchObject({
    status,
    body: {
      type: `/problems/${slug}`,
      title,
      status,
      detail: expect.stringMatching(/\S/),
      instance: expect.stringMatching(/^\//),
    },
  });
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  const { instance: _, ...shown } = body;
  expect(JSON.stringify(shown)).not.toMatch(internals);
  expectSafeHeaders(answer);
  return body;
}
