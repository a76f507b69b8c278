import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { ApiEnvironment } from './auth.ts';
import { safeHeaders } from './edge.ts';
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
const headers = {
  Allow: header('The methods that this path has', { type: 'string', examples: ['GET, HEAD'] }),
  'Idempotency-Expires': header(
    'With a key: it is remembered at least until then',
    { type: 'string', format: 'date-time' },
    false,
  ),
  'Idempotency-Replayed': header(
    'The task was submitted before under this key',
    { type: 'string', const: 'true' },
    false,
  ),
  Location: header('Where the task can be read', { type: 'string', pattern: '^/tasks/' }),
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

const info = {
  title: 'Holdfast',
  version: '1',
  license: { name: 'MIT', identifier: 'MIT' },
  description: `Submit a task, and it survives failing upstreams, timeouts, killed workers and killed servers until it has one definite end.

JSON in, JSON out. Every other answer than a success is a problem document (RFC 9457), and its \`type\` leads to a page that says what to
do. Unknown fields and unknown or repeated query parameters are errors. A GET also answers to HEAD. Every answer carries
${Object.keys(safeHeaders)
  .map((name) => `\`${name}\``)
  .join(', ')}, and none a CORS header.`,
};

const tags = [
  { name: 'Tasks', description: 'Submit, read, list and cancel tasks' },
  { name: 'Policy', description: 'How hard Holdfast tries' },
  { name: 'Operation', description: 'For probes and monitoring' },
  { name: 'Documentation', description: 'This API about itself' },
];

const bearer = {
  type: 'http',
  scheme: 'bearer',
  description: 'The secret of an API key. Without `API_KEYS` no key is asked for, and no call is answered 401.',
} as const;

/** The OpenAPI document of everything registered with the app. Its own headers are put in here, once for every answer. */
export function toDocument({ openAPIRegistry, getOpenAPI31Document }: OpenAPIHono<ApiEnvironment>) {
  openAPIRegistry.registerComponent('securitySchemes', 'bearer', bearer);
  for (const [name, component] of Object.entries(headers))
    openAPIRegistry.registerComponent(
      'headers',
      name,
      component as Parameters<typeof openAPIRegistry.registerComponent>[2],
    );
  const document = getOpenAPI31Document({
    openapi: '3.1.0',
    info,
    servers: [{ url: '/', description: 'The Holdfast that serves this document' }],
    tags,
    security: [{ bearer: [] }],
  });
  for (const operations of Object.values(document.paths ?? {}))
    for (const { responses } of Object.values(
      operations as Record<string, { responses: Record<string, { headers?: object }> }>,
    ))
      for (const response of Object.values(responses))
        response.headers = { ...response.headers, ...toHeaders('X-Request-Id') };
  return document;
}

export const documentRoute = createRoute({
  method: 'get',
  path: '/openapi.json',
  operationId: 'readDocument',
  tags: ['Documentation'],
  summary: 'This document',
  description: 'The API as OpenAPI 3.1, generated from the schemas that it parses with.',
  security: [],
  request: { query: noQuery },
  responses: {
    200: {
      description: 'The document',
      content: { 'application/json': { schema: z.looseObject({ openapi: z.string().openapi({ example: '3.1.0' }) }) } },
    },
    ...toResponses(),
  },
});

export const metricsRoute = createRoute({
  method: 'get',
  path: '/metrics',
  operationId: 'readMetrics',
  tags: ['Operation'],
  summary: 'What this process counted and measured, for Prometheus',
  description: 'Of this process alone; each worker serves its own.',
  request: { query: noQuery },
  responses: {
    200: { description: 'Samples in Prometheus’ text format', content: { 'text/plain': { schema: z.string() } } },
    ...toResponses('unauthorized'),
  },
});
