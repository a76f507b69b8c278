import {
  ApplicationFailure,
  activityInfo,
  CancelledFailure,
  cancellationDetails,
  cancellationSignal,
} from '@temporalio/activity';
import { Agent, request } from 'undici';
import type { z } from 'zod';
import { toDeadlineMs } from '../policy.ts';
import type { AttemptOptions } from '../tasks.ts';
import { toAttemptFailure, toStatusFailure } from './failure.ts';
import { toJobId } from './job-id.ts';
import { parseJson } from './parse-json.ts';
import { readBody } from './read-body.ts';

/** undici's own timeouts are off, because each attempt has its own deadline. */
const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0, connect: { timeout: 0 } });

/**
 * Sends one GET and returns the body, parsed by `schema`.
 *
 * Follows no redirects. Reads at most 64 KiB of decoded body. Ends at the latest at the attempt's deadline, which is
 * shortly before the start-to-close timeout.
 * @throws {ApplicationFailure} with a failure type of `policy.ts`.
 * @throws {CancelledFailure} if the task was cancelled.
 */
export async function getJson<S extends z.ZodType>(url: URL, schema: S, options: AttemptOptions): Promise<z.output<S>> {
  const { jitter } = options;
  const { startToCloseTimeoutMs } = activityInfo();
  const deadline = AbortSignal.timeout(toDeadlineMs(startToCloseTimeoutMs));
  try {
    const signal = AbortSignal.any([cancellationSignal(), deadline]);
    const { statusCode, headers, body } = await request(url, { dispatcher, signal, headers: toHeaders(url, options) });
    try {
      if (statusCode !== 200) throw toStatusFailure(statusCode, headers['retry-after']?.toString(), jitter);
      const parsed = schema.safeParse(parseJson(await readBody(body, headers['content-encoding']?.toString()), jitter));
      if (parsed.success) return parsed.data;
      throw toAttemptFailure('InvalidResponse', 'The upstream answered JSON of another shape', { upstreamStatus: 200 });
    } finally {
      // An unread body keeps its socket, so the body is destroyed. Without a listener, its error would end the process.
      body.on('error', () => {}).destroy();
    }
  } catch (error) {
    throw toCallFailure(error, deadline.aborted, jitter);
  }
}

/** The idempotency key is the same in every attempt, so that the upstream can recognise a repeated call. */
function toHeaders({ protocol }: URL, { traceparent, tracestate }: AttemptOptions) {
  const { attempt } = activityInfo();
  return {
    accept: 'application/json',
    'accept-encoding': protocol === 'https:' ? 'br, gzip, deflate' : 'gzip, deflate',
    // Some APIs refuse a request without a User-Agent.
    'user-agent': 'undici',
    'idempotency-key': toJobId(),
    'holdfast-attempt': String(attempt),
    ...(traceparent && { traceparent }),
    ...(tracestate && { tracestate }),
  };
}

/** Converts any error of a call to the failure that decides whether another attempt follows. */
function toCallFailure(error: unknown, isLate: boolean, jitter: number): Error {
  if (error instanceof ApplicationFailure) return error;
  if (cancellationSignal().aborted) {
    return cancellationDetails()?.workerShutdown
      ? toAttemptFailure('WorkerShutdown', 'The worker stopped before the attempt ended', { jitter })
      : new CancelledFailure('The task was cancelled');
  }
  // The codes of Node, undici and zlib (ECONNREFUSED, UND_ERR_SOCKET) contain no address, so clients may see them.
  const { code = 'network error' } = error as { code?: string };
  if (code === 'Z_DATA_ERROR')
    return toAttemptFailure('InvalidResponse', 'The upstream answered a broken encoding', { upstreamStatus: 200 });
  return isLate
    ? toAttemptFailure('UpstreamTimeout', 'The upstream did not answer before the deadline of the attempt', { jitter })
    : toAttemptFailure('UpstreamUnreachable', `The upstream could not be reached (${code})`, { jitter });
}
