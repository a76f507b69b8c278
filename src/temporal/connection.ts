import { status } from '@grpc/grpc-js';
import { Client, Connection, makeGrpcRetryInterceptor } from '@temporalio/client';
import type { Config } from '../config/config.ts';
import { isNotSent } from './errors.ts';

/** The deadline of one RPC. The SDK has none: it repeats failed calls for 20 s, and waits forever for a hung server. */
const rpcDeadlineMs = 2_000;

/**
 * The options of all our gRPC channels. They dial Temporal directly, as the worker's connection does. By default,
 * grpc-js uses `http_proxy`, even for loopback, and refuses messages over 4 MiB. The history of a chunk with the
 * largest outputs is larger, and Temporal sends it in one message. Temporal ends a workflow whose history reaches
 * 50 MiB.
 */
export const channelOptions = { 'grpc.enable_http_proxy': 0, 'grpc.max_receive_message_length': 64 * 1024 * 1024 };

type Interceptor = ReturnType<typeof makeGrpcRetryInterceptor>;

type CallOptions = { deadline: number; signal: AbortSignal };

/** The options of the call that `beginCall` begins at this moment. */
let begun: CallOptions | undefined;

/**
 * Begins a call with a deadline of its own. The call is cancelled when `signal` is aborted. `begin` must call Temporal
 * before it returns. Replaces the SDK's `withDeadline` and `withAbortSignal`: these use AsyncLocalStorage, which before
 * Node 24 slows down every promise of the process.
 */
export function beginCall<T>(options: CallOptions, begin: () => Promise<T>): Promise<T> {
  begun = options;
  try {
    return begin();
  } finally {
    begun = undefined;
  }
}

/** Must be the first interceptor. A later one also runs for repeated calls, after `beginCall` has returned. */
const withCallOptions: Interceptor = (options, nextCall) => {
  const { signal } = begun ?? {};
  const deadline = begun?.deadline ?? options.deadline ?? Date.now() + rpcDeadlineMs;
  const call = nextCall({ ...options, deadline });
  signal?.addEventListener('abort', () => call.cancelWithStatus(status.CANCELLED, 'No longer needed'), { once: true });
  return call as ReturnType<Interceptor>;
};

/** Sends the namespace as static metadata. The SDK would set it with AsyncLocalStorage at each call. */
class NamespaceConnection extends Connection {
  override async withMetadata<T>(_: object, call: () => Promise<T>): Promise<T> {
    return call();
  }
}

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
    connection: NamespaceConnection.lazy({
      ...connection,
      metadata: { ...connection.metadata, 'temporal-namespace': namespace },
      channelArgs: {
        ...channelOptions,
        'grpc.initial_reconnect_backoff_ms': 100,
        'grpc.max_reconnect_backoff_ms': 2_000,
      },
      interceptors: [withCallOptions, retryNotSent],
    }),
  });
}
