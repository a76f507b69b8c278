import type { Behaviour } from '../../local/joke-api/behaviour.ts';

/** A failure of the upstream, and the failure type that the task must report. */
export type UpstreamFailure = { name: string; behaviour: Behaviour; type: string };

/** These seconds exceed the default BASE_DELAY, so Holdfast must lengthen the first wait, but not above MAX_DELAY. */
const retryAfter = '5';

/**
 * Failures that Holdfast retries. A hanging upstream is not in this list, because a test with a hanging upstream needs
 * a short JOB_TIMEOUT.
 */
export const retryableFailures: UpstreamFailure[] = [
  { name: 'HTTP 500', behaviour: { status: 500 }, type: 'UpstreamUnavailable' },
  { name: 'HTTP 502', behaviour: { status: 502 }, type: 'UpstreamUnavailable' },
  { name: 'HTTP 503', behaviour: { status: 503 }, type: 'UpstreamUnavailable' },
  { name: 'HTTP 504', behaviour: { status: 504 }, type: 'UpstreamUnavailable' },
  { name: 'HTTP 408', behaviour: { status: 408 }, type: 'UpstreamUnavailable' },
  { name: 'HTTP 425', behaviour: { status: 425 }, type: 'UpstreamUnavailable' },
  { name: 'HTTP 429', behaviour: { status: 429 }, type: 'UpstreamRateLimited' },
  { name: `HTTP 429, Retry-After ${retryAfter}`, behaviour: { status: 429, retryAfter }, type: 'UpstreamRateLimited' },
  { name: 'reset connection', behaviour: { reset: 'before-headers' }, type: 'UpstreamUnreachable' },
  { name: 'reset in the body', behaviour: { reset: 'mid-body' }, type: 'UpstreamUnreachable' },
  { name: 'body cut short', behaviour: { cutShort: true }, type: 'UpstreamUnreachable' },
  { name: 'truncated JSON', behaviour: { body: 'truncated-json' }, type: 'TruncatedResponse' },
];

/** Failures that end a task after one call. */
export const finalFailures: UpstreamFailure[] = [
  { name: 'HTTP 400', behaviour: { status: 400 }, type: 'UpstreamRejected' },
  { name: 'HTTP 401', behaviour: { status: 401 }, type: 'UpstreamRejected' },
  { name: 'HTTP 404', behaviour: { status: 404 }, type: 'UpstreamRejected' },
  { name: 'redirect', behaviour: { status: 302, location: '/jokes/categories' }, type: 'UpstreamRedirected' },
  { name: 'wrong shape', behaviour: { body: 'wrong-shape' }, type: 'InvalidResponse' },
  { name: 'HTML', behaviour: { body: 'html' }, type: 'InvalidResponse' },
  { name: 'empty body', behaviour: { body: 'empty' }, type: 'InvalidResponse' },
  { name: '1 MiB', behaviour: { body: 'huge' }, type: 'ResponseTooLarge' },
  { name: 'compressed 10 MiB', behaviour: { body: 'gzip-bomb' }, type: 'ResponseTooLarge' },
  { name: 'endless body', behaviour: { body: 'endless' }, type: 'ResponseTooLarge' },
];
