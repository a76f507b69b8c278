import type { ProblemType } from './problem-type.ts';

const table = {
  'bad-request': {
    status: 400,
    title: 'The request is malformed',
    description:
      'The syntax, a header, the path or a query parameter is wrong. Unknown and repeated parameters are errors. `errors` points at each fault where possible. Correct the request: the same request fails again.',
    errors: true,
  },
  unauthorized: {
    status: 401,
    title: 'A valid API key is missing',
    description:
      'This Holdfast requires an API key. Send `Authorization: Bearer <secret>` with the secret of such a key. A secret in the query string is ignored.',
    headers: { 'WWW-Authenticate': 'Bearer realm="holdfast"' },
  },
  forbidden: {
    status: 403,
    title: 'The caller may not make this call',
    description:
      'A browser sent this request for a page of another origin. State-changing calls are accepted only from pages of this API’s own origin and from clients other than browsers. Another cause: the call concerns all keys, as `GET /metrics` does, and `OPERATORS` does not name your key.',
  },
  'not-found': {
    status: 404,
    title: 'There is no such resource',
    description:
      'There is no such path, or no task or batch with this id that your key may see. The answer is the same for a task or batch of another API key. Finished tasks and batches are deleted after the retention time.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'The resource does not support this method',
    description: 'The path exists, but does not support this method. `Allow` lists the methods that it supports.',
    headers: { Allow: 'GET, HEAD, POST' },
  },
  'request-timeout': {
    status: 408,
    title: 'The request did not arrive in time',
    description:
      'The headers or the body did not arrive in time, so nothing was started. Send the request again, over a faster or more stable connection.',
    retryable: true,
  },
  'already-finished': {
    status: 409,
    title: 'The task has already ended',
    description: 'The task or batch has completed or failed, so it cannot be cancelled. Read it to see how it ended.',
  },
  'still-open': {
    status: 409,
    title: 'The task has not ended yet',
    description: 'Only a task that has ended can be run again. Wait until it ends, or cancel it first.',
  },
  'body-too-large': {
    status: 413,
    title: 'The body is too large',
    description: 'The body is larger than the limit. Nothing was started. Send less in one request.',
  },
  'uri-too-long': {
    status: 414,
    title: 'The URL is too long',
    description: 'The URL has more than 8,192 characters. Shorten the query.',
  },
  'unsupported-media-type': {
    status: 415,
    title: 'The body is not plain JSON',
    description:
      'Send a body as JSON, with `Content-Type: application/json` and without `Content-Encoding`. A request without a body needs no content type.',
  },
  'misdirected-request': {
    status: 421,
    title: 'This host name is not served here',
    description:
      'Without API keys this API answers only to `localhost` and the loopback addresses, so that no web page can reach it by DNS rebinding. Use one of these hosts in the URL, or set `API_KEYS`.',
  },
  'invalid-input': {
    status: 422,
    title: 'The input does not fit its schema',
    description:
      'The body is JSON, but does not fit its schema. `errors` has a JSON pointer to each fault. Nothing was started. Correct the body.',
    errors: true,
  },
  'idempotency-mismatch': {
    status: 422,
    title: 'The Idempotency-Key belongs to another submission',
    description:
      'This `Idempotency-Key` was sent before with another body or delay, or for a rerun of another task. The task or batch of that first submission is unchanged. Repeat the first submission exactly as it was, or choose a new key for a new submission.',
  },
  'rate-limited': {
    status: 429,
    title: 'Too many requests in a minute',
    description:
      'Your API key has reached `RATE_LIMIT` (tasks and batches), `ITEM_RATE_LIMIT` (items of batches) or `READ_RATE_LIMIT` (reads). `detail` says which. Without API keys, the requests from your address are counted. Nothing was started. Try again after `Retry-After` seconds. The header `RateLimit` of each answer to a submission says how many submissions are left.',
    retryable: true,
    outcomes: ['not-started'],
    headers: { 'Retry-After': '60' },
  },
  'headers-too-large': {
    status: 431,
    title: 'The header fields are too large',
    description: 'The header fields have more than 16 KiB in total. Remove or shorten some of them, cookies first.',
  },
  'internal-error': {
    status: 500,
    title: 'The API failed',
    description:
      'An unexpected error occurred, or Temporal refuses the call, for example because the namespace is missing. Look up the `X-Request-Id` of the answer in the log. The same request may succeed later. If `outcome` is `unknown`, look at the list of tasks before you send the request again: the task may have been started.',
    retryable: true,
    outcomes: ['not-started', 'unknown'],
  },
  'temporal-unavailable': {
    status: 503,
    title: 'Temporal does not answer',
    description:
      'The Temporal server behind this API does not answer, or refuses calls above its own limits. Try again after `Retry-After` seconds. For a submission, `outcome` says whether the task or batch may have been started (`unknown`) or certainly was not (`not-started`).',
    retryable: true,
    outcomes: ['not-started', 'unknown'],
    headers: { 'Retry-After': '2' },
  },
  overloaded: {
    status: 503,
    title: 'This API process has too much to do',
    description:
      'This process has reached one of its own limits: starts of tasks and batches (`MAX_IN_FLIGHT`), bytes of request bodies, or the time that a call may wait for its turn. The API keys share these limits, and `detail` says whether your key has used up its share. Nothing was started. Try again after `Retry-After` seconds.',
    retryable: true,
    outcomes: ['not-started'],
    headers: { 'Retry-After': '1' },
  },
  'too-many-streams': {
    status: 503,
    title: 'Too many event streams are open',
    description:
      'This process holds as many event streams open as it can, or your API key has used up its share of them. Read the task from time to time instead, or try again after `Retry-After` seconds.',
    retryable: true,
    headers: { 'Retry-After': '10' },
  },
  'not-ready': {
    status: 503,
    title: 'Not ready to run tasks',
    description:
      'Temporal answers, but tasks cannot run. `detail` says why. If no worker has polled for work lately, tasks are accepted, but they wait for a worker. Start a worker, or ask again after `Retry-After` seconds. If the namespace is missing, or if Temporal denies access or cannot write, no task is accepted until an operator corrects that.',
    retryable: true,
    headers: { 'Retry-After': '2' },
  },
} as const satisfies Record<string, ProblemType>;

export type ProblemSlug = keyof typeof table;

/** All problems that this API answers with, by slug. */
export const problems: Record<ProblemSlug, ProblemType> = table;
export const problemSlugs = Object.keys(table) as ProblemSlug[];
