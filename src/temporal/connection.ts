import { Client, Connection, makeGrpcRetryInterceptor } from '@temporalio/client';
import type { Config } from '../config/config.ts';
import { isNotSent } from './errors.ts';

/** The deadline of one RPC. By default the SDK retries for 20 s, and a call to a stopped server never ends. */
const rpcDeadlineMs = 2_000;

type Interceptor = ReturnType<typeof makeGrpcRetryInterceptor>;

/** `connection.withDeadline` uses an AsyncLocalStorage, which makes every promise of the process slower. */
const withRpcDeadline: Interceptor = (options, nextCall) =>
  nextCall({ ...options, deadline: options.deadline ?? Date.now() + rpcDeadlineMs }) as ReturnType<Interceptor>;

/** Repeats only calls that were certainly not carried out. The SDK's own retries would leave their outcome unknown. */
const retryNotSent = makeGrpcRetryInterceptor({
  retryableDecider: (attempt, status) => attempt < 3 && isNotSent(status),
  delayFunction: (attempt) => 100 * attempt,
});

/**
 * Creates the API's client. It connects with its first call, and again when the server returns: it waits between 0.1
 * and 2 s before it tries to reconnect, where grpc-js by default waits up to 120 s.
 */
export function createClient({ temporal: { namespace, ...connection } }: Pick<Config, 'temporal'>): Client {
  return new Client({
    namespace,
    connection: Connection.lazy({
      ...connection,
      channelArgs: { 'grpc.initial_reconnect_backoff_ms': 100, 'grpc.max_reconnect_backoff_ms': 2_000 },
      interceptors: [retryNotSent, withRpcDeadline],
    }),
  });
}
