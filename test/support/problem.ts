import { expect } from 'vitest';
import { type ProblemSlug, problems } from '../../src/api/problems/problems.ts';

export type Answer = { status: number; headers: Headers; text: string };

/** What an answer may not tell: a stack, a path of the machine, an address, a version, the names of what is inside. */
const telling =
  /\n\s+at |node_modules|\/(home|root|usr|tmp|src|test)\/|\.[cm]?[jt]s:\d|\b\d{1,3}(\.\d{1,3}){3}\b|\b\d+\.\d+\.\d+\b|grpc|ECONN|undici|hono|\bnode\b/i;

/** Every answer, whoever gave it: application, adapter or parser. */
export function expectSafeHeaders({ headers }: Pick<Answer, 'headers'>): void {
  expect(Object.fromEntries(headers)).toMatchObject({
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    'content-security-policy': expect.stringContaining("default-src 'none'"),
    'referrer-policy': 'no-referrer',
  });
  for (const name of ['server', 'x-powered-by', 'access-control-allow-origin']) expect(headers.has(name)).toBe(false);
}

/** The answer is this problem, complete (RFC 9457), telling nothing of the inside, under the headers of every answer. */
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
  const { instance: _, ...told } = body;
  expect(JSON.stringify(told)).not.toMatch(telling);
  expectSafeHeaders(answer);
  return body;
}
