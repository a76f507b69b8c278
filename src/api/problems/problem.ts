import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { z } from 'zod';
import { isNotFound, Refused, TemporalRefused, TemporalUnavailable } from '../../temporal/errors.ts';
import type { Outcome } from './problem-type.ts';
import { type ProblemSlug, problems } from './problems.ts';

type Fault = { pointer: string; detail: string };
type Details = { errors?: Fault[]; outcome?: Outcome; headers?: Record<string, string> };

/** An error that `app.onError` answers as a problem (RFC 9457). The answer joins `problems[slug]` and the details. */
export class Problem extends Error {
  readonly slug: ProblemSlug;
  readonly outcome: Outcome | undefined;
  readonly errors: Fault[] | undefined;
  readonly headers: Record<string, string>;

  constructor(slug: ProblemSlug, detail: string, { errors, outcome, headers }: Details = {}) {
    super(detail);
    const { outcomes = [], headers: defaults } = problems[slug];
    this.slug = slug;
    this.errors = errors;
    this.outcome = outcome ?? (outcomes.length === 1 ? outcomes[0] : undefined);
    this.headers = { ...defaults, ...headers };
  }

  /** Returns the body of the answer. `instance` is the path of the request. */
  toJSON(instance: string) {
    const { slug, message, outcome, errors } = this;
    const { status, title, retryable } = problems[slug];
    return { type: `/problems/${slug}`, title, status, detail: message, instance, retryable, outcome, errors };
  }
}

/** A batch may have 10,000 faulty items, so an answer lists at most this many faults. */
const maximumErrors = 100;

/** Turns Zod's issues into a problem that lists up to 100 faults. Each unknown field has an entry of its own. */
export function toValidationProblem(slug: 'bad-request' | 'invalid-input', { issues }: z.core.$ZodError): Problem {
  const errors = issues
    .flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => ({ pointer: toPointer([...issue.path, key]), detail: 'is not known here' }))
        : [{ pointer: toPointer(issue.path), detail: issue.message }],
    )
    .slice(0, maximumErrors);
  return new Problem(slug, errors.map(({ pointer, detail }) => `${pointer}: ${detail}`).join('; '), { errors });
}

/** Returns the path as a JSON pointer (RFC 6901) in its URI fragment form. */
const toPointer = (path: PropertyKey[]) =>
  `#${path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')}`;

/**
 * The problems for the statuses that the framework throws to refuse a request. Any other status of the framework
 * becomes `internal-error`. The remaining problems are about tasks and Temporal, which the framework does not know.
 */
const frameworkProblems: Record<number, ProblemSlug> = {
  400: 'bad-request',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
  405: 'method-not-allowed',
  408: 'request-timeout',
  413: 'body-too-large',
  414: 'uri-too-long',
  415: 'unsupported-media-type',
  422: 'invalid-input',
  431: 'headers-too-large',
};

/** Translates any error into a problem. An unexpected error becomes a 500 that reveals nothing. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const slug = error instanceof HTTPException && frameworkProblems[error.status];
  if (slug) return new Problem(slug, (error as HTTPException).message || problems[slug].title);
  if (error instanceof TemporalUnavailable)
    return new Problem('temporal-unavailable', error.message, { outcome: error.outcome });
  if (error instanceof Refused) {
    const { reason, message, retryAfterSeconds: seconds } = error;
    return new Problem(reason, message, seconds === undefined ? {} : { headers: { 'Retry-After': String(seconds) } });
  }
  return new Problem('internal-error', 'Unexpected error. Look up the `X-Request-Id` of this answer in the log', {
    outcome: error instanceof TemporalRefused ? 'not-started' : 'unknown',
  });
}

/** Returns the 404 for an unknown id, another owner's task or a batch. It is always the same, so it reveals nothing. */
export const toNoTaskProblem = () => new Problem('not-found', 'There is no task of this id');
export const toNoBatchProblem = () => new Problem('not-found', 'There is no batch of this id');

/** Awaits calls about one task or batch. @throws `toNotFound()` if Temporal has no such execution. */
export const orNotFound = <T>(calls: Promise<T>, toNotFound: () => Problem): Promise<T> =>
  calls.catch((error: unknown) => {
    throw isNotFound(error) ? toNotFound() : error;
  });

/** Returns the 405 for a path that supports only these methods. */
export function toMethodProblem(methods: string[]): Problem {
  const Allow = methods.join(', ');
  return new Problem('method-not-allowed', `Allowed here: ${Allow}`, { headers: { Allow } });
}

/** The path of a request can have 8 KiB. The answer repeats only the beginning of the path. */
const maximumInstanceLength = 200;

/**
 * Returns the beginning of the path as the client sent it, for the problem's `instance`. `instance` is a URI reference
 * (RFC 9457), so an incomplete percent escape at the end is cut off.
 */
const toInstance = (url: string) => new URL(url).pathname.slice(0, maximumInstanceLength).replace(/%[0-9a-f]?$/i, '');

/** Answers with the problem. Leaves out `outcome` for GET and HEAD, because they start nothing. */
export function answerProblem(c: Context, problem: Problem): Response {
  const { outcome, ...body } = problem.toJSON(toInstance(c.req.url));
  const isRead = ['GET', 'HEAD'].includes(c.req.method);
  return c.body(JSON.stringify(isRead ? body : { ...body, outcome }), problems[problem.slug].status, {
    'Content-Type': 'application/problem+json',
    ...problem.headers,
  });
}
