import { isGrpcServiceError } from '@temporalio/client';
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { z } from 'zod';
import { isAbsence, isNotFound, isNotSent } from '../../temporal/client.ts';

/** Every problem this API answers: slug → status, title, and whether the same request may succeed later. */
export const problems = {
  'bad-request': { status: 400, title: 'The request is malformed' },
  unauthorized: { status: 401, title: 'A valid API key is missing' },
  forbidden: { status: 403, title: 'The request comes from a foreign web page' },
  'not-found': { status: 404, title: 'There is no such thing' },
  'method-not-allowed': { status: 405, title: 'The resource does not know this method' },
  'request-timeout': { status: 408, title: 'The request did not arrive in time', retryable: true },
  'already-finished': { status: 409, title: 'The task has already ended' },
  'still-open': { status: 409, title: 'The task has not ended yet' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'uri-too-long': { status: 414, title: 'The URL is too long' },
  'unsupported-media-type': { status: 415, title: 'The body is not plain JSON' },
  'misdirected-request': { status: 421, title: 'This host name is not served here' },
  'invalid-input': { status: 422, title: 'The input does not fit its schema' },
  'idempotency-mismatch': { status: 422, title: 'The Idempotency-Key belongs to another submission' },
  'rate-limited': { status: 429, title: 'Too many submissions', retryable: true },
  'headers-too-large': { status: 431, title: 'The header fields are too large' },
  'internal-error': { status: 500, title: 'The API failed', retryable: true },
  'temporal-unavailable': { status: 503, title: 'Temporal does not answer', retryable: true },
  overloaded: { status: 503, title: 'Too many tasks are being started', retryable: true },
  'too-many-streams': { status: 503, title: 'Too many event streams are open', retryable: true },
  'not-ready': { status: 503, title: 'Not ready to run tasks', retryable: true },
} as const satisfies Record<string, { status: ContentfulStatusCode; title: string; retryable?: true }>;

export type ProblemSlug = keyof typeof problems;
type Extras = { errors?: { pointer: string; detail: string }[]; outcome?: 'not-started' | 'unknown' };

/** What a handler throws; `onError` alone turns it into an answer. */
export class Problem extends Error {
  readonly slug: ProblemSlug;
  readonly extras: Extras;
  readonly headers: Record<string, string>;
  constructor(slug: ProblemSlug, detail: string, extras: Extras = {}, headers: Record<string, string> = {}) {
    super(detail);
    this.slug = slug;
    this.extras = extras;
    this.headers = headers;
  }

  /** The problem details (RFC 9457) for the resource at `instance`. */
  toJSON(instance: string) {
    const { status, title, ...rest } = problems[this.slug];
    return { type: `/problems/${this.slug}`, title, status, detail: this.message, instance, ...rest, ...this.extras };
  }
}

/** A batch may have 10,000 faulty items; the first ones tell what is wrong. */
const mostErrors = 100;

/** Zod's issues as RFC 9457 wants them: one entry a field, an unknown field under its own name. */
export function toValidationProblem(slug: 'bad-request' | 'invalid-input', { issues }: z.core.$ZodError): Problem {
  const errors = issues
    .flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => ({ pointer: toPointer([...issue.path, key]), detail: 'is not known here' }))
        : [{ pointer: toPointer(issue.path), detail: issue.message }],
    )
    .slice(0, mostErrors);
  return new Problem(slug, errors.map(({ pointer, detail }) => `${pointer}: ${detail}`).join('; '), { errors });
}

/** A JSON pointer (RFC 6901) in its URI fragment form. */
const toPointer = (path: PropertyKey[]) =>
  `#${path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')}`;

const statusSlugs = new Map(
  Object.entries(problems).map(([slug, { status }]) => [status as number, slug as ProblemSlug]),
);

/** The one translation of errors into problems; what nobody foresaw becomes a 500 that tells nothing. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof HTTPException)
    return new Problem(statusSlugs.get(error.status) ?? 'internal-error', error.message);
  if (isNotFound(error)) return toNoTaskProblem();
  const cause = [error, (error as Error).cause].find(isGrpcServiceError);
  if (!cause || !isAbsence(cause))
    return new Problem('internal-error', 'An unexpected error; the log has it under this request id', {
      outcome: 'unknown',
    });
  return toUnavailable(isNotSent(cause) ? 'not-started' : 'unknown');
}

/** The same for an id that is unknown, somebody else's, or no task's. */
export const toNoTaskProblem = () => new Problem('not-found', 'There is no task of this id');

/** The same for batches. */
export const toNoBatchProblem = () => new Problem('not-found', 'There is no batch of this id');

/** The 503 of a call that Temporal did not answer, with what the caller may know of its outcome. */
export const toUnavailable = (outcome: 'not-started' | 'unknown') =>
  new Problem(
    'temporal-unavailable',
    'Temporal cannot be reached or does not answer in time; try again',
    { outcome },
    { 'Retry-After': '2' },
  );

/** The 405 of a path that has these methods. */
export function toMethodProblem(methods: string[]): Problem {
  const allow = methods.join(', ');
  return new Problem('method-not-allowed', `Allowed here: ${allow}`, {}, { Allow: allow });
}

/** A path may be as long as a caller likes; its echo need not. */
const longestInstance = 200;

/** The path as it was sent, percent-encoded: `instance` is a URI reference (RFC 9457), of which no escape is cut in two. */
const toInstance = (url: string) => new URL(url).pathname.slice(0, longestInstance).replace(/%[0-9a-f]?$/i, '');

/** Answers a problem; what a read could have started nobody asks, so its outcome stays out. */
export function answerProblem(c: Context, problem: Problem): Response {
  const { outcome, ...body } = problem.toJSON(toInstance(c.req.url)) as ReturnType<Problem['toJSON']> & Extras;
  if (outcome === 'unknown') c.set('mayHaveStarted', true);
  const isRead = ['GET', 'HEAD'].includes(c.req.method);
  return c.body(JSON.stringify({ ...body, ...(outcome && !isRead && { outcome }) }), problems[problem.slug].status, {
    'Content-Type': 'application/problem+json',
    ...problem.headers,
  });
}
