import { status } from '@grpc/grpc-js';
import {
  ActivityExecutionAlreadyStartedError,
  ActivityNotFoundError,
  isGrpcServiceError,
  NamespaceNotFoundError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
} from '@temporalio/client';

const unreachable = 'cannot be reached or does not answer in time';

/**
 * Temporal cannot be reached, does not answer in time or refuses calls above its own limits. With outcome `unknown`, it
 * may have carried out the call.
 */
export class TemporalUnavailable extends Error {
  override readonly name = 'TemporalUnavailable';
  readonly outcome: 'not-started' | 'unknown';
  /** Whether Temporal answered that it has reached one of its own limits. */
  readonly isBusy: boolean;

  constructor(outcome: 'not-started' | 'unknown', options?: ErrorOptions) {
    const isBusy = isGrpcServiceError(options?.cause) && options.cause.code === status.RESOURCE_EXHAUSTED;
    super(`Temporal ${isBusy ? 'has reached one of its own limits' : unreachable}; try again`, options);
    this.outcome = outcome;
    this.isBusy = isBusy;
  }
}

const refusals = {
  namespace: 'has no namespace of the configured name',
  permission: 'denies access: the key or the certificate is wrong or lacks a permission',
  other: 'refuses the call',
};

/** Temporal answers, but refuses the call. An operator must correct the configuration. The call had no effect. */
export class TemporalRefused extends Error {
  override readonly name = 'TemporalRefused';
  readonly reason: keyof typeof refusals;

  constructor(reason: TemporalRefused['reason'], options?: ErrorOptions) {
    super(`Temporal answers, but ${refusals[reason]}`, options);
    this.reason = reason;
  }
}

/** This process refuses a request because of `reason`. The request has started nothing. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly reason: 'overloaded' | 'rate-limited' | 'idempotency-mismatch';
  readonly retryAfterSeconds: number | undefined;

  constructor(reason: Refused['reason'], message: string, retryAfterSeconds?: number) {
    super(message);
    this.reason = reason;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Whether a read failed only because Temporal or this process has too much to do. */
export const isPassing = (error: unknown) =>
  error instanceof TemporalUnavailable || (error instanceof Refused && error.reason === 'overloaded');

/** gRPC failures that pass by themselves. */
const transientCodes = [
  status.CANCELLED,
  status.UNKNOWN,
  status.DEADLINE_EXCEEDED,
  status.RESOURCE_EXHAUSTED,
  status.ABORTED,
  status.UNAVAILABLE,
];

/** gRPC failures of calls that a server refuses and does not carry out. */
const refusalCodes = [
  status.INVALID_ARGUMENT,
  status.NOT_FOUND,
  status.PERMISSION_DENIED,
  status.FAILED_PRECONDITION,
  status.UNIMPLEMENTED,
  status.UNAUTHENTICATED,
];

const isTransient = ({ code }: { code: number }) => transientCodes.includes(code);

/** Whether the server has certainly not carried out the call. */
export const isNotSent = ({ code, details }: { code: number; details: string }) =>
  code === status.RESOURCE_EXHAUSTED ||
  (code === status.UNAVAILABLE && /No connection established|Name resolution failed/.test(details));

/** Returns the gRPC error that a client error is or wraps, or `undefined` if there is none. */
export const findGrpcError = (error: unknown) => [error, (error as Error).cause].find(isGrpcServiceError);

/** Whether the error means that the namespace is missing. The raw error says so only in its binary details. */
const isNamespaceNotFound = (error: unknown) =>
  error instanceof NamespaceNotFoundError ||
  (isGrpcServiceError(error) &&
    error.code === status.NOT_FOUND &&
    String(error.metadata.get('grpc-status-details-bin')[0]).includes('NamespaceNotFoundFailure'));

/**
 * Whether a call about one execution failed because there is no such execution, or because the server no longer keeps
 * it. Any other call fails with the same status if, for example, its namespace is missing.
 */
export const isNotFound = (error: unknown) =>
  error instanceof WorkflowNotFoundError ||
  error instanceof ActivityNotFoundError ||
  (isGrpcServiceError(error) && error.code === status.NOT_FOUND && !isNamespaceNotFound(error));

/** Whether a start failed because there is, or was, an execution with the same id. */
export const isAlreadyStarted = (error: unknown) =>
  error instanceof WorkflowExecutionAlreadyStartedError || error instanceof ActivityExecutionAlreadyStartedError;

/** Whether the server does not know the call, because it is an older one. */
export const isUnknownCall = (error: unknown) => findGrpcError(error)?.code === status.UNIMPLEMENTED;

/** Whether the server knows the execution, but cannot do this to it in its present state. */
export const isFailedPrecondition = (error: unknown) => findGrpcError(error)?.code === status.FAILED_PRECONDITION;

/**
 * Whether the error means that the page token did not come from the server. A server that lists workflows from an SQL
 * database answers UNKNOWN, any other server INVALID_ARGUMENT.
 */
export const isInvalidPageToken = (error: unknown) =>
  isGrpcServiceError(error) && [status.UNKNOWN, status.INVALID_ARGUMENT].includes(error.code);

/**
 * Converts an error with a transient gRPC failure to `TemporalUnavailable`, and a refusal to `TemporalRefused`. Returns
 * any other error as it is, including the one for an execution that does not exist.
 */
export function toTemporalError(error: unknown): unknown {
  if (error instanceof TemporalUnavailable || error instanceof TemporalRefused) return error;
  if (isNamespaceNotFound(error)) return new TemporalRefused('namespace', { cause: error });
  const cause = findGrpcError(error);
  if (cause && isTransient(cause))
    return new TemporalUnavailable(isNotSent(cause) ? 'not-started' : 'unknown', { cause });
  if (!cause || !refusalCodes.includes(cause.code)) return error;
  const isDenied = [status.PERMISSION_DENIED, status.UNAUTHENTICATED].includes(cause.code);
  return new TemporalRefused(isDenied ? 'permission' : 'other', { cause });
}
