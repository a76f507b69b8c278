import { Client, Connection, makeGrpcRetryInterceptor } from '@temporalio/client';
import type { Config } from '../config/config.ts';
import { isNotSent } from './errors.ts';

/** The deadline of one RPC. The SDK has none: it repeats failed calls for 20 s, and waits forever for a hung server. */
const rpcDeadlineMs = 2_000;

/**
 * The options of all our gRPC channels. They dial Temporal directly, as the worker's connection does. By default,
 * grpc-js uses `http_proxy`, even for loopback.
 */
export const directChannel = { 'grpc.enable_http_proxy': 0 };

type Interceptor = ReturnType<typeof makeGrpcRetryInterceptor>;

/** Replaces the SDK's `connection.withDeadline`, whose AsyncLocalStorage slows down every promise of the process. */
const withRpcDeadline: Interceptor = (options, nextCall) =>
  nextCall({ ...options, deadline: options.deadline ?? Date.now() + rpcDeadlineMs }) as ReturnType<Interceptor>;

/** Retries only calls that were certainly not carried out. The SDK's own retries would also repeat other calls. */
const retryNotSent = makeGrpcRetryInterceptor({
  retryableDecider: (attempt, status) => attempt < 3 && isNotSent(status),
  delayFunction: (attempt) => 100 * attempt,
});

/**
 * Creates the API's client. The client connects at its first call. After a lost connection, it waits 0.1 to 2 s before
 * each try to reconnect. grpc-js would wait up to 120 s by default.
 */
export function createClient({ temporal: { namespace, ...connection } }: Pick<Config, 'temporal'>): Client {
  return new Client({
    namespace,
    connection: Connection.lazy({
      ...connection,
      channelArgs: {
        ...directChannel,
        'grpc.initial_reconnect_backoff_ms': 100,
        'grpc.max_reconnect_backoff_ms': 2_000,
      },
      interceptors: [retryNotSent, withRpcDeadline],
    }),
  });
}
