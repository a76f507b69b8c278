import type { ProblemSlug } from './problem.ts';

/** What each problem means and what to do about it; `GET /problems/{slug}` serves it where `type` leads. */
export const problemTexts: Record<ProblemSlug, string> = {
  'bad-request':
    'The syntax, a header, a path or a query parameter is wrong; unknown and repeated parameters count as wrong. `errors` points at each fault where it can. Correct the request; sent again as it is, it fails again.',
  unauthorized:
    'This Holdfast has API keys. Send `Authorization: Bearer <secret>` with the secret of one of them; a secret in the query string is not read.',
  forbidden:
    'A browser sent this on behalf of a page of another origin. State-changing calls are taken only from pages of this API’s own origin and from clients that are no browsers.',
  'not-found':
    'No such path, or no task of this id that your key may see. Tasks of other keys look the same as none, and finished tasks are forgotten after the retention time.',
  'method-not-allowed': 'The path exists, but not with this method. `Allow` names the methods that it has.',
  'request-timeout':
    'Headers or body did not arrive in time, so nothing was started. Send the request again, over a faster or steadier connection.',
  'already-finished':
    'The task has completed or failed, so it cannot be cancelled any more. Read it to see how it ended.',
  'still-open': 'Only a task that has ended can be run again. Wait for its end, or cancel it first.',
  'body-too-large': 'The body has more bytes than are taken. Nothing was started. Send less in one request.',
  'uri-too-long': 'The URL has more than 8,192 characters. Shorten the query.',
  'unsupported-media-type':
    'A body must be JSON, sent as `Content-Type: application/json` without `Content-Encoding`. No body at all needs no content type.',
  'misdirected-request':
    'Without API keys this API answers only to `localhost` and the addresses of loopback, so that no web page can reach it through DNS. Use such a name in the URL, or set `API_KEYS`.',
  'invalid-input':
    'The body is JSON, but does not fit its schema. `errors` has a JSON pointer to each fault. Nothing was started. Correct the body.',
  'idempotency-mismatch':
    'The key was sent before with another body, delay or task; that first submission stands untouched. Repeat a call exactly as it was, or choose a new key for a new task.',
  'rate-limited':
    'This key, or without keys this address, has submitted as many tasks this minute as `RATE_LIMIT` allows. Nothing was started. Try again after `Retry-After` seconds; the header `RateLimit` of each answer tells how many submissions are left.',
  'headers-too-large':
    'The header fields have more than 16 KiB together. Send fewer or shorter ones, cookies above all.',
  'internal-error':
    'Something that nobody foresaw; the log has it under the `X-Request-Id` of the answer. Trying again may help. If `outcome` is `unknown`, look at the list of tasks first: the task may have started.',
  'temporal-unavailable':
    'The Temporal server behind this API does not answer. Try again after `Retry-After` seconds. `outcome` says of a submission whether the task may have started (`unknown`) or certainly has not (`not-started`).',
  overloaded:
    'As many tasks are being started at this moment as `MAX_IN_FLIGHT` allows, mostly because Temporal is slow to answer. Nothing was started. Try again after `Retry-After` seconds.',
  'too-many-streams':
    'This process holds as many event streams open as it can. Read the task now and then instead, or try again after `Retry-After`.',
  'not-ready':
    'Temporal answers, but no worker has asked for work lately: tasks are accepted and wait. Start a worker, or ask again after `Retry-After` seconds.',
};
