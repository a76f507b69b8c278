import { z } from '@hono/zod-openapi';
import { type ProblemSlug, problems } from './problem.ts';
import { toProblemSchema } from './problem-schemas.ts';

/** For routes without query parameters: any is an error, not ignored. */
export const noQuery = z.strictObject({});

/** What any call may be answered; any POST; any that starts tasks; and any that reads a body. */
const anyCall = [
  'bad-request',
  'method-not-allowed',
  'request-timeout',
  'body-too-large',
  'uri-too-long',
  'misdirected-request',
  'headers-too-large',
  'internal-error',
] as const;
export const anyPost = ['forbidden'] as const;
export const anySubmission = ['rate-limited', 'overloaded'] as const;
export const anyBody = ['unsupported-media-type', 'invalid-input'] as const;

const header = (description: string, schema: object, required = true) => ({ description, required, schema });

/** The headers that answers carry, documented once. */
export const headers = {
  Allow: header('The methods that this path has', { type: 'string', examples: ['GET, HEAD'] }),
  'Idempotency-Expires': header(
    'With a key: it is remembered at least until then',
    { type: 'string', format: 'date-time' },
    false,
  ),
  'Idempotency-Replayed': header(
    'The task or batch was submitted before under this key',
    { type: 'string', const: 'true' },
    false,
  ),
  Location: header('Where the task or batch can be read', { type: 'string', pattern: '^/(tasks|batches)/' }),
  'Preference-Applied': header(
    'The `wait` of `Prefer` that was honoured',
    { type: 'string', pattern: '^wait=\\d+$' },
    false,
  ),
  RateLimit: header(
    'Submissions left, and seconds until all are there again; with RATE_LIMIT, on every answer to a submission',
    { type: 'string', pattern: '^"submissions";r=\\d+;t=\\d+$' },
    false,
  ),
  'RateLimit-Policy': header(
    'Submissions allowed in a window of so many seconds (draft-ietf-httpapi-ratelimit-headers)',
    { type: 'string', pattern: '^"submissions";q=\\d+;w=60$' },
    false,
  ),
  'Retry-After': header('Seconds to wait before the next try', { type: 'integer', minimum: 1 }),
  Vary: header('The answer depends on this header of the request', { type: 'string', enum: ['Accept'] }),
  'WWW-Authenticate': header('How to sign in (RFC 6750)', { type: 'string', pattern: '^Bearer ' }),
  'X-Accel-Buffering': header('Tells proxies to pass each event on at once', { type: 'string', const: 'no' }),
  'X-Request-Id': header('Names this request in the log; a caller may choose it', { type: 'string', minLength: 1 }),
};
type HeaderName = keyof typeof headers;

/** The `headers` of a documented answer. */
export const toHeaders = (...names: HeaderName[]) =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));

/** On every answer to a submission. */
export const rateLimitHeaders = ['RateLimit', 'RateLimit-Policy'] as const;

/** What comes with the problems of a status. */
const problemHeaders: Record<number, HeaderName[]> = {
  401: ['WWW-Authenticate'],
  405: ['Allow'],
  429: ['Retry-After'],
  503: ['Retry-After'],
};

/** The problem answers of a route, documented by status: these, and those of any call. */
export function toResponses(...slugs: ProblemSlug[]) {
  const all = [...anyCall, ...slugs];
  const toResponse = (status: number) => {
    const here = all.filter((slug) => problems[slug].status === status);
    const names = [...(problemHeaders[status] ?? []), ...(slugs.includes('rate-limited') ? rateLimitHeaders : [])];
    return {
      description: here.map((slug) => problems[slug].title).join('; or: '),
      headers: toHeaders(...names),
      content: { 'application/problem+json': { schema: toProblemSchema(here) } },
    };
  };
  const statuses = all.map((slug) => problems[slug].status);
  return Object.fromEntries(statuses.map((status) => [status, toResponse(status)]));
}
