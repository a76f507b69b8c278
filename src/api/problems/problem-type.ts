import type { ContentfulStatusCode } from 'hono/utils/http-status';

export type Outcome = 'not-started' | 'unknown';
type HeaderName = 'Allow' | 'Retry-After' | 'WWW-Authenticate';

/** The facts about one kind of problem. The answers, the OpenAPI document and the pages below `/problems` use them. */
export type ProblemType = {
  status: ContentfulStatusCode;
  title: string;
  /** What the problem means and what to do about it. */
  description: string;
  /** Whether the same request may succeed later. */
  retryable?: true;
  /** Whether the answer may list its faults under `errors`. */
  errors?: true;
  /** What may have happened to a submission. If only one outcome is possible, every `Problem` of this type has it. */
  outcomes?: readonly Outcome[];
  /** The default headers of the answer. A `Problem` may replace a value with a more exact one. */
  headers?: Partial<Record<HeaderName, string>>;
};
