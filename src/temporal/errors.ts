import { status } from '@grpc/grpc-js';
import { isGrpcServiceError, WorkflowNotFoundError } from '@temporalio/client';

/** Temporal cannot be reached or does not answer in time. With outcome `unknown`, it may have carried out the call. */
export class TemporalUnavailable extends Error {
  override readonly name = 'TemporalUnavailable';
  readonly outcome: 'not-started' | 'unknown';

  constructor(outcome: 'not-started' | 'unknown', options?: ErrorOptions) {
    super('Temporal cannot be reached or does not answer in time; try again', options);
    this.outcome = outcome;
  }
}

/** A submission is refused for `reason`. The refused submission has started nothing. */
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

/** gRPC failures that pass by themselves. The others, such as a wrong key or a missing namespace, need an operator. */
const transientCodes = [
  status.CANCELLED,
  status.UNKNOWN,
  status.DEADLINE_EXCEEDED,
  status.RESOURCE_EXHAUSTED,
  status.ABORTED,
  status.UNAVAILABLE,
];

export const isTransient = ({ code }: { code: number }) => transientCodes.includes(code);

/** Whether the server has certainly not carried out the call. */
export const isNotSent = ({ code, details }: { code: number; details: string }) =>
  code === status.RESOURCE_EXHAUSTED ||
  (code === status.UNAVAILABLE && /No connection established|Name resolution failed/.test(details));

/** Returns the gRPC error that a client error is or wraps, or `undefined` if there is none. */
export const findGrpcError = (error: unknown) => [error, (error as Error).cause].find(isGrpcServiceError);

/** Whether the error means that there is no such workflow, or that the server no longer keeps it. */
export const isNotFound = (error: unknown) =>
  error instanceof WorkflowNotFoundError || (isGrpcServiceError(error) && error.code === status.NOT_FOUND);

/**
 * Whether the error means that the page token did not come from the server. A server that lists workflows from an SQL
 * database answers UNKNOWN, any other server INVALID_ARGUMENT.
 */
export const isInvalidPageToken = (error: unknown) =>
  isGrpcServiceError(error) && [status.UNKNOWN, status.INVALID_ARGUMENT].includes(error.code);

/** Converts an error with a transient gRPC failure to `TemporalUnavailable`. Returns any other error as it is. */
export function toTemporalError(error: unknown): unknown {
  const cause = findGrpcError(error);
  if (!cause || !isTransient(cause)) return error;
  return new TemporalUnavailable(isNotSent(cause) ? 'not-started' : 'unknown', { cause });
}
