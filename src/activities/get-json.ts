import {
  ApplicationFailure,
  activityInfo,
  CancelledFailure,
  cancellationDetails,
  cancellationSignal,
} from '@temporalio/activity';
import { Agent, DecoratorHandler, type Dispatcher, fetch, type Response } from 'undici';
import type { z } from 'zod';
import { type FailureType, toDeadlineMs } from '../policy.ts';
import type { AttemptOptions } from '../tasks.ts';
import { toAttemptFailure } from './failure.ts';
import { toJobId } from './job-id.ts';
import { parseJson } from './parse-json.ts';
import { toRetryAfterMs } from './retry-after.ts';

const maximumBytes = 64 * 1024;

/** Client errors that pass by themselves; every other 4xx is final. */
const passingClientErrors = [408, 425];

type ResponseStart = Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>;

/** undici declares this class without the methods it has. */
const Decorator = DecoratorHandler as new (
  handler: Dispatcher.DispatchHandler,
) => { onResponseStart(...start: ResponseStart): void };

/** As browsers do, fetch hides a 407 behind a nameless error and asks again after a 421; here both are 4xx like others. */
class PlainStatus extends Decorator {
  override onResponseStart(...start: ResponseStart): void {
    const [, status] = start;
    if (status === 407 || status === 421)
      throw toAttemptFailure('UpstreamRejected', `HTTP ${status}`, { upstreamStatus: status });
    super.onResponseStart(...start);
  }
}

/** undici's own 300 s limits are off: an attempt has one deadline, and it comes with the attempt. */
const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0, connect: { timeout: 0 } }).compose(
  (dispatch) => (options, handler) => dispatch(options, new PlainStatus(handler)),
);

/**
 * One GET, parsed by `schema`: the only place where HTTP becomes a failure.
 * Sends `Idempotency-Key` (the id of the task or of the batch's item, the same in every attempt), `Holdfast-Attempt` and the submission's trace; follows no redirect; reads
 * at most 64 KiB decoded; ends at the attempt's deadline, just below start-to-close.
 * @throws {ApplicationFailure} with a type of `policy.ts`; {CancelledFailure} when the task was cancelled.
 */
export async function getJson<S extends z.ZodType>(
  url: URL,
  schema: S,
  { jitter, traceparent, tracestate }: AttemptOptions,
): Promise<z.output<S>> {
  const { attempt, startToCloseTimeoutMs } = activityInfo();
  const deadline = AbortSignal.timeout(toDeadlineMs(startToCloseTimeoutMs));
  try {
    const response = await fetch(url, {
      dispatcher: agent,
      redirect: 'manual',
      signal: AbortSignal.any([cancellationSignal(), deadline]),
      headers: {
        accept: 'application/json',
        'idempotency-key': toJobId(),
        'holdfast-attempt': String(attempt),
        ...(traceparent && { traceparent }),
        ...(tracestate && { tracestate }),
      },
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw toStatusFailure(response, jitter);
    }
    const parsed = schema.safeParse(parseJson(await readBody(response), jitter));
    if (!parsed.success)
      throw toAttemptFailure('InvalidResponse', 'The upstream answered JSON of another shape', { upstreamStatus: 200 });
    return parsed.data;
  } catch (error) {
    if (error instanceof ApplicationFailure) throw error;
    if (error instanceof Error && error.cause instanceof ApplicationFailure) throw error.cause;
    if (cancellationSignal().aborted) {
      if (!cancellationDetails()?.workerShutdown) throw new CancelledFailure('The task was cancelled');
      throw toAttemptFailure('WorkerShutdown', 'The worker stopped before the attempt ended', { jitter });
    }
    if (isBrokenEncoding(error))
      throw toAttemptFailure('InvalidResponse', 'The upstream answered a broken encoding', { upstreamStatus: 200 });
    if (deadline.aborted) {
      throw toAttemptFailure('UpstreamTimeout', 'The upstream did not answer within the time of the attempt', {
        jitter,
      });
    }
    throw toAttemptFailure('UpstreamUnreachable', `The upstream could not be reached (${toCode(error)})`, { jitter });
  }
}

function toStatusFailure({ status, headers }: Response, jitter: number): ApplicationFailure {
  const type = toStatusFailureType(status);
  const retryAfterMs = toRetryAfterMs(headers.get('retry-after'));
  return toAttemptFailure(type, `HTTP ${status}`, {
    upstreamStatus: status,
    jitter,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

function toStatusFailureType(status: number): FailureType {
  if (status === 429) return 'UpstreamRateLimited';
  if (status >= 500 || passingClientErrors.includes(status)) return 'UpstreamUnavailable';
  return status >= 300 && status < 400 && status !== 304 ? 'UpstreamRedirected' : 'UpstreamRejected';
}

async function readBody(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > maximumBytes) {
      throw toAttemptFailure('ResponseTooLarge', `The upstream answered more than ${maximumBytes} bytes`, {
        upstreamStatus: 200,
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** zlib's word for data that was never compressed so; a stream that only stops early is cut short. */
const isBrokenEncoding = (error: unknown) => toCode(error) === 'Z_DATA_ERROR';

/** Node's and undici's codes name the cause (ECONNREFUSED, UND_ERR_SOCKET) without an address. */
function toCode(error: unknown): string {
  const { code, cause } = error as { code?: unknown; cause?: { code?: unknown } };
  const found = cause?.code ?? code;
  return typeof found === 'string' ? found : 'network error';
}
