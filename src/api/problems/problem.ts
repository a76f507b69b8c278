import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { z } from 'zod';
import { isNotFound, Refused, TemporalUnavailable } from '../../temporal/errors.ts';
import type { Outcome } from './problem-type.ts';
import { type ProblemSlug, problemSlugs, problems } from './problems.ts';

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

/** Translates any error into a problem. An unexpected error becomes a 500 that reveals nothing. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof HTTPException) {
    const slug = problemSlugs.find((known) => problems[known].status === error.status);
    return new Problem(slug ?? 'internal-error', error.message);
  }
  if (error instanceof TemporalUnavailable)
    return new Problem('temporal-unavailable', error.message, { outcome: error.outcome });
  if (error instanceof Refused) {
    const { reason, message, retryAfterSeconds: seconds } = error;
    return new Problem(reason, message, seconds === undefined ? {} : { headers: { 'Retry-After': String(seconds) } });
  }
  if (isNotFound(error)) return toNoTaskProblem();
  return new Problem('internal-error', 'Unexpected error. Look up the `X-Request-Id` of this answer in the log', {
    outcome: 'unknown',
  });
}

/** Returns the 404 for an unknown id, another owner's task or a batch. It is always the same, so it reveals nothing. */
export const toNoTaskProblem = () => new Problem('not-found', 'There is no task of this id');
export const toNoBatchProblem = () => new Problem('not-found', 'There is no batch of this id');

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
