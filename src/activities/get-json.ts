import { ApplicationFailure, activityInfo, cancellationSignal } from '@temporalio/activity';
import { type Dispatcher, request } from 'undici';
import type { z } from 'zod';
import { maximumHeaderBytes } from '../outbound/dispatcher.ts';
import { toDeadlineMs } from '../policy.ts';
import type { AttemptOptions } from '../tasks.ts';
import { withDeadline } from './attempt.ts';
import { toAnswerFailure, toAttemptFailure, toCancellation, toStatusFailure } from './failure.ts';
import { toJobId } from './job-id.ts';
import { parseJson } from './parse-json.ts';
import { readBody } from './read-body.ts';

/** How an activity calls its upstream. */
export type Upstream = { upstreamUrl: string; getJson: ReturnType<typeof createGetJson> };

/**
 * Creates a function that sends one GET and returns the body, parsed by `schema`.
 *
 * The function follows no redirects and reads at most 64 KiB of decoded body. It ends at the latest at the attempt's
 * deadline, which is shortly before the start-to-close timeout. If the call fails, the function throws an
 * `ApplicationFailure` with a failure type of `policy.ts`. If the task was cancelled, the function throws a
 * `CancelledFailure`.
 */
export function createGetJson(dispatcher: Dispatcher) {
  return <S extends z.ZodType>(url: URL, schema: S, options: AttemptOptions): Promise<z.output<S>> =>
    withDeadline(toDeadlineMs(activityInfo().startToCloseTimeoutMs), async (signal) => {
      const { jitter } = options;
      try {
        const { statusCode, headers, body } = await request(url, {
          dispatcher,
          signal,
          headers: toHeaders(url, options),
        });
        try {
          if (statusCode !== 200) throw toStatusFailure(statusCode, headers, jitter);
          const bytes = await readBody(body, headers['content-encoding']?.toString());
          const parsed = schema.safeParse(parseJson(bytes, jitter));
          if (parsed.success) return parsed.data;
          throw toAnswerFailure('InvalidResponse', 'The upstream answered JSON of another shape');
        } finally {
          // An unread body keeps its socket, so the body is destroyed. Without a listener, its error would end the
          // process.
          body.on('error', () => {}).destroy();
        }
      } catch (error) {
        throw toCallFailure(error, signal.aborted, jitter);
      }
    });
}

/** The idempotency key is the same in every attempt, so that the upstream can recognise a repeated call. */
function toHeaders({ protocol }: URL, { traceparent, tracestate, attemptsBefore = 0 }: AttemptOptions) {
  return {
    accept: 'application/json',
    'accept-encoding': protocol === 'https:' ? 'br, gzip, deflate' : 'gzip, deflate',
    // Some APIs refuse a request without a User-Agent.
    'user-agent': 'undici',
    'idempotency-key': toJobId(),
    'holdfast-attempt': String(activityInfo().attempt + attemptsBefore),
    ...(traceparent && { traceparent }),
    ...(tracestate && { tracestate }),
  };
}

/** Converts any error of a call to the failure that decides whether another attempt follows. */
function toCallFailure(error: unknown, isLate: boolean, jitter: number): Error {
  if (error instanceof ApplicationFailure) return error;
  if (cancellationSignal().aborted) return toCancellation(jitter);
  if (isLate)
    return toAttemptFailure('UpstreamTimeout', 'The upstream did not answer before the deadline of the attempt', {
      jitter,
    });
  // The codes of Node and undici (ECONNREFUSED, UND_ERR_SOCKET) contain no address, so clients may see them.
  const { code, name, message } = error as NodeJS.ErrnoException;
  const cause = typeof code === 'string' ? code : name;
  if (cause === 'UND_ERR_HEADERS_OVERFLOW')
    return toAttemptFailure(
      'ResponseTooLarge',
      `The upstream answered more than ${maximumHeaderBytes} bytes of headers`,
    );
  const [, proxyStatus] = /^Proxy .*\((\d{3})\)/.exec(message) ?? [];
  const text = proxyStatus
    ? `The proxy in front of the upstream answered HTTP ${proxyStatus}`
    : name === 'HTTPParserError'
      ? `The upstream did not answer in HTTP (${cause})`
      : `The upstream could not be reached (${cause})`;
  return toAttemptFailure('UpstreamUnreachable', text, { jitter });
}
