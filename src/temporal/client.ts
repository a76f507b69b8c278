import {
  ActivityFailure,
  ApplicationFailure,
  Client,
  Connection,
  isGrpcServiceError,
  makeGrpcRetryInterceptor,
  TimeoutFailure,
  WorkflowNotFoundError,
} from '@temporalio/client';
import {
  decodeArrayFromPayloads,
  decodeMapFromPayloads,
  decodeOptionalFailureToOptionalError,
} from '@temporalio/common/lib/internal-non-workflow/index.js';
import proto, { type temporal } from '@temporalio/proto';
import type { Config } from '../config/config.ts';
import { failureTypes } from '../policy.ts';

/** Temporal's enumerations; the package is CommonJS that only hands out one object. */
export const { PendingActivityState, RetryState, TaskQueueType, WorkflowExecutionStatus } = proto.temporal.api.enums.v1;

type ProtoFailure = temporal.api.failure.v1.IFailure;
type ProtoMemo = temporal.api.common.v1.IMemo;

type TemporalConfig = Pick<Config, 'temporal'>;

/** The gRPC status codes that mean something here (https://grpc.io/docs/guides/status-codes/). */
export const grpcStatus = {
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  RESOURCE_EXHAUSTED: 8,
  ABORTED: 10,
  UNAVAILABLE: 14,
} as const;

/** Failures that pass when the server is back or has time; the rest (a wrong key, a missing namespace) waits for a person. */
export const isAbsence = ({ code }: { code: number }) =>
  (
    [
      grpcStatus.CANCELLED,
      grpcStatus.UNKNOWN,
      grpcStatus.DEADLINE_EXCEEDED,
      grpcStatus.RESOURCE_EXHAUSTED,
      grpcStatus.ABORTED,
      grpcStatus.UNAVAILABLE,
    ] as number[]
  ).includes(code);

/** Failures after which the server has not carried out the call: these alone get a second try by themselves. */
export const isNotSent = ({ code, details }: { code: number; details: string }) =>
  code === grpcStatus.RESOURCE_EXHAUSTED ||
  (code === grpcStatus.UNAVAILABLE && /No connection established|Name resolution failed/.test(details));

/** There is no such workflow, or no longer; the client library says so of most calls in a class of its own. */
export const isNotFound = (error: unknown) =>
  error instanceof WorkflowNotFoundError || (isGrpcServiceError(error) && error.code === grpcStatus.NOT_FOUND);

/** What the client library takes for an interceptor; gRPC's own type is not ours to import. */
type Interceptor = ReturnType<typeof makeGrpcRetryInterceptor>;

/** The deadline of each RPC; the SDK by itself would try for 20 s and more. */
const rpcDeadlineMs = 2_000;

/** Not `connection.withDeadline`: its AsyncLocalStorage would make every promise of this process dearer. */
const withRpcDeadline: Interceptor = (options, nextCall) =>
  nextCall({ ...options, deadline: options.deadline ?? Date.now() + rpcDeadlineMs }) as ReturnType<Interceptor>;

/**
 * The API's client. It connects with its first call and again whenever the server returns: reconnect waits stay between
 * 0.1 and 2 s (grpc-js would let them grow to 120 s).
 */
export function createClient({ temporal: { namespace, ...connection } }: TemporalConfig): Client {
  return new Client({
    namespace,
    connection: Connection.lazy({
      ...connection,
      channelArgs: { 'grpc.initial_reconnect_backoff_ms': 100, 'grpc.max_reconnect_backoff_ms': 2_000 },
      interceptors: [
        makeGrpcRetryInterceptor({
          retryableDecider: (attempt, status) => attempt < 3 && isNotSent(status),
          delayFunction: (attempt) => 100 * attempt,
        }),
        withRpcDeadline,
      ],
    }),
  });
}

/** A failure as API clients see it. */
export type Failure = { type: string; message: string; upstreamStatus?: number };

/** Timeouts of an attempt, under the names that Temporal's retry policies know them by. */
const timeouts: Record<string, Failure> = {
  START_TO_CLOSE: { type: 'TemporalTimeout:StartToClose', message: 'The attempt ran longer than its timeout' },
  HEARTBEAT: { type: 'TemporalTimeout:Heartbeat', message: 'The worker of the attempt fell silent' },
};

/**
 * A failure of the server's, decoded through the client's data converter. Only messages that Holdfast wrote itself come
 * through; those of unexpected errors may carry paths and addresses and stay in the worker's log.
 */
export async function toFailure(client: Client, failure: ProtoFailure): Promise<Failure> {
  const error = await decodeOptionalFailureToOptionalError(client.options.loadedDataConverter, failure);
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof TimeoutFailure) {
    return timeouts[cause.timeoutType ?? ''] ?? { type: 'TemporalTimeout', message: 'The task timed out' };
  }
  const type = (cause instanceof ApplicationFailure && cause.type) || 'UnexpectedError';
  const known = (failureTypes as readonly string[]).includes(type);
  const { upstreamStatus } = ((cause as ApplicationFailure).details?.[0] ?? {}) as { upstreamStatus?: number };
  return {
    type,
    message: known ? (cause?.message ?? type) : "An unexpected error; the worker's log has it",
    ...(upstreamStatus !== undefined && { upstreamStatus }),
  };
}

/** A protobuf timestamp as epoch milliseconds, whole ones; 0 for none. */
export const toEpochMs = (time: { seconds?: unknown; nanos?: number | null } | null | undefined) =>
  Number(time?.seconds ?? 0) * 1_000 + Math.floor((time?.nanos ?? 0) / 1e6);

/** A memo's values, decoded. */
export async function toMemo(client: Client, memo: ProtoMemo | null | undefined): Promise<Record<string, unknown>> {
  return (await decodeMapFromPayloads(client.options.loadedDataConverter, memo?.fields)) ?? {};
}

/** The first value of a list of payloads, decoded. */
export async function toResult(
  client: Client,
  result: temporal.api.common.v1.IPayloads | null | undefined,
): Promise<unknown> {
  const [value] = await decodeArrayFromPayloads(client.options.loadedDataConverter, result?.payloads);
  return value;
}
