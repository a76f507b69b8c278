const header = (description: string, schema: object) => ({ description, required: true, schema });
const optional = (description: string, schema: object) => ({ description, required: false, schema });

/** The response headers, as the OpenAPI document describes them. */
export const headers = {
  Allow: header('The methods that this path supports', { type: 'string', examples: ['GET, HEAD'] }),
  'Idempotency-Expires': optional('The `Idempotency-Key` of the request is remembered at least until this time', {
    type: 'string',
    format: 'date-time',
  }),
  'Idempotency-Replayed': optional('The task or batch was submitted earlier with the same `Idempotency-Key`', {
    type: 'string',
    const: 'true',
  }),
  Location: header('The path of the task or batch', { type: 'string', pattern: '^/(tasks|batches)/' }),
  'Preference-Applied': optional('The `wait` of `Prefer` that was applied', { type: 'string', pattern: '^wait=\\d+$' }),
  RateLimit: optional(
    '`r` submissions are left. After `t` seconds, all are available again. The header is sent if RATE_LIMIT is set',
    { type: 'string', pattern: '^"submissions";r=\\d+;t=\\d+$' },
  ),
  'RateLimit-Policy': optional(
    '`q` is the number of submissions allowed in `w` seconds (draft-ietf-httpapi-ratelimit-headers)',
    { type: 'string', pattern: '^"submissions";q=\\d+;w=60$' },
  ),
  'Retry-After': header('Seconds to wait before the next try', { type: 'integer', minimum: 1 }),
  Vary: header('The answer depends on this header of the request', { type: 'string', enum: ['Accept'] }),
  'WWW-Authenticate': header('How to authenticate (RFC 6750)', { type: 'string', pattern: '^Bearer ' }),
  'X-Accel-Buffering': header('Tells proxies to forward each event at once', { type: 'string', const: 'no' }),
  'X-Request-Id': header('Identifies this request in the log. A request may bring its own value', {
    type: 'string',
    minLength: 1,
  }),
};

export type HeaderName = keyof typeof headers;

/** Returns the `headers` of an OpenAPI response: references to the named components. */
export const toHeaders = (...names: HeaderName[]) =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));

/** Every answer to a submission has these headers if `RATE_LIMIT` is set. */
export const rateLimitHeaders = ['RateLimit', 'RateLimit-Policy'] as const;
