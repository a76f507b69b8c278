import { z } from 'zod';

const headerValue = z.string().regex(/^[\x20-\x7e]*$/, 'must be printable ASCII, because it is sent as a header');

/** Returns whether HTTP forbids a body with `status`. If so, a behaviour must not describe or disturb the body. */
export const isBodiless = (status = 200) => status < 200 || [204, 205, 304].includes(status);

/** How to answer one request. `{}` asks for a good answer. Each field changes one aspect of it. Durations are in ms. */
export const behaviourSchema = z
  .strictObject({
    status: z.int().min(100).max(599).optional(),
    retryAfter: headerValue.optional(),
    location: headerValue.optional(),
    delayMs: z.number().min(0).max(3_600_000).optional(),
    body: z
      .enum([
        'joke',
        'joke-with-markup',
        'long-joke',
        'largest-joke',
        'empty',
        'html',
        'text',
        'truncated-json',
        'wrong-shape',
        'huge',
        'gzip-bomb',
        'endless',
      ])
      .optional(),
    hang: z.enum(['headers', 'body']).optional(),
    bytesPerSecond: z.number().min(0.01).max(1_000_000_000).optional(),
    reset: z.enum(['before-headers', 'mid-body']).optional(),
    cutShort: z.literal(true).optional(),
  })
  .refine(({ hang, reset, cutShort }) => [hang, reset, cutShort].filter(Boolean).length <= 1, {
    message: 'hang, reset and cutShort exclude one another: an answer ends in one way',
  })
  .refine(({ body, hang, reset, cutShort }) => body !== 'endless' || !(hang || reset || cutShort), {
    path: ['body'],
    message: 'endless excludes hang, reset and cutShort',
  })
  .refine(
    ({ status, body, hang, reset, cutShort, bytesPerSecond }) =>
      !isBodiless(status) || !(body || hang === 'body' || reset === 'mid-body' || cutShort || bytesPerSecond),
    { path: ['status'], message: 'allows no body: remove the fields that describe or disturb the body' },
  );

export type Behaviour = z.infer<typeof behaviourSchema>;

/** Returns all faults on one line, each with the path of its field: `then.0.status: Too big: …`. */
export const toFaultLine = ({ issues }: z.ZodError) =>
  issues.map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message)).join('; ');

/**
 * Parses a behaviour from the JSON of a query or a header.
 * @throws {SyntaxError} if the text is not JSON.
 * @throws {z.ZodError} if the JSON is not a behaviour.
 */
export const parseBehaviour = (json: string) => behaviourSchema.parse(JSON.parse(json));
