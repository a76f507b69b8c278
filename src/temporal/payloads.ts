import { ActivityFailure, ApplicationFailure, type Client, TimeoutFailure } from '@temporalio/client';
import {
  decodeArrayFromPayloads,
  decodeMapFromPayloads,
  decodeOptionalFailureToOptionalError,
} from '@temporalio/common/lib/internal-non-workflow/index.js';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import proto, { type temporal } from '@temporalio/proto';
import { failureTypes, unexpectedMessage } from '../policy.ts';

type ProtoFailure = temporal.api.failure.v1.IFailure;
type ProtoMemo = temporal.api.common.v1.IMemo;
type ProtoPayloads = temporal.api.common.v1.IPayloads;

/** Temporal's enumerations. They cannot be imported by name, because the package is CommonJS with a single export. */
export const {
  ActivityExecutionStatus,
  HistoryEventFilterType,
  PendingActivityState,
  RetryState,
  TaskQueueType,
  WorkflowExecutionStatus,
  WorkflowTaskFailedCause,
} = proto.temporal.api.enums.v1;

/** Returns a history as the JSON text that `Worker.runReplayHistory` reads. */
export const toHistoryText: (history: temporal.api.history.v1.IHistory) => string = historyToJSON;

/** A failure as API clients see it. */
export type Failure = { type: string; message: string; upstreamStatus?: number };

/** The failures of attempts that timed out. `type` is the name that Temporal's retry policies use. */
const timeouts: Record<string, Failure> = {
  START_TO_CLOSE: { type: 'TemporalTimeout:StartToClose', message: 'The attempt ran longer than its timeout' },
  HEARTBEAT: { type: 'TemporalTimeout:Heartbeat', message: 'Temporal accepted no heartbeat of the attempt in time' },
};

const wasReset = 'The attempt was ended because the task was reset by an operator';

/** The messages for attempts that an operator ended with Temporal's tools. The types are those of the SDK. */
const operatorMessages: Record<string, string> = {
  ActivityPause: 'The attempt was ended because the task was paused by an operator',
  ActivityReset: wasReset,
  ResetWorkflow: wasReset,
};

/**
 * Decodes a failure with the client's data converter. Keeps the message only if Holdfast wrote it. The message of an
 * unexpected error may contain paths and addresses, so only the worker's log has that message. A failure comes from an
 * operator if `byOperator` is true or if its source is not the SDK of our workers.
 */
export async function toFailure(client: Client, failure: ProtoFailure, byOperator = false): Promise<Failure> {
  const error = await decodeOptionalFailureToOptionalError(client.options.loadedDataConverter, failure);
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof TimeoutFailure) {
    return timeouts[cause.timeoutType ?? ''] ?? { type: 'TemporalTimeout', message: 'The task timed out' };
  }
  const isByOperator = byOperator || (cause instanceof ApplicationFailure && cause.failure?.source !== 'TypeScriptSDK');
  const fallback = isByOperator ? 'FailedByOperator' : 'UnexpectedError';
  const type = (cause instanceof ApplicationFailure && cause.type) || fallback;
  if (isByOperator) return { type, message: operatorMessages[type] ?? 'The task was failed by an operator' };
  const isOurs = (failureTypes as readonly string[]).includes(type);
  const { upstreamStatus } = ((cause as ApplicationFailure).details?.[0] ?? {}) as { upstreamStatus?: number };
  return {
    type,
    message: isOurs ? (cause?.message ?? type) : (operatorMessages[type] ?? unexpectedMessage),
    ...(upstreamStatus !== undefined && { upstreamStatus }),
  };
}

/** Converts a protobuf timestamp to whole milliseconds since 1970. Returns 0 if there is no timestamp. */
export const toEpochMs = (time: { seconds?: unknown; nanos?: number | null } | null | undefined) =>
  Number(time?.seconds ?? 0) * 1_000 + Math.floor((time?.nanos ?? 0) / 1e6);

/** Returns the decoded values of a memo, or an empty object if there is no memo. */
export async function toMemo(client: Client, memo: ProtoMemo | null | undefined): Promise<Record<string, unknown>> {
  return (await decodeMapFromPayloads(client.options.loadedDataConverter, memo?.fields)) ?? {};
}

/** Returns the payloads, decoded. */
export const toValues = (client: Client, payloads: ProtoPayloads | null | undefined): Promise<unknown[]> =>
  decodeArrayFromPayloads(client.options.loadedDataConverter, payloads?.payloads);

/** Returns the first payload, decoded, or `undefined` if there is none. */
export const toResult = async (client: Client, result: ProtoPayloads | null | undefined): Promise<unknown> =>
  (await toValues(client, result))[0];
