import type { Socket } from 'node:net';
import { type buildConnector, Client, type Dispatcher } from 'undici';

/** The codes of a lost connection. It may have been closed before the request arrived. */
const connectionLostCodes = ['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'UND_ERR_SOCKET'];

/**
 * Creates an undici client, which has one connection at a time. It differs from undici's own in three points:
 *
 * - If a reused connection is lost before any byte of the answer, a GET is sent once more on a new connection. The
 *   other side may close an idle connection at any moment (RFC 9112 section 9.3.1).
 * - `100 Continue` before the answer is ignored (RFC 9110 section 15.2). undici would drop the connection.
 * - A call whose signal aborts ends at once. undici would first wait until it is connected.
 */
export function createClient(
  origin: URL,
  { connect, ...options }: Client.Options & { connect: buildConnector.connector },
): Client {
  let wasUsed = false;
  let isHeadExpected = false;
  const client = new Client(origin, {
    ...options,
    connect: (target, callback) =>
      connect(target, (...[error, socket]) => {
        if (error) return callback(error, null);
        wasUsed = false;
        ignoreContinue(socket, () => isHeadExpected);
        callback(null, socket);
      }),
  });
  const dispatch = client.dispatch.bind(client);
  client.dispatch = (request, handler) => {
    const { signal } = request as { signal?: AbortSignal };
    let canRepeat = request.method === 'GET';
    let isReused = false;
    let isGivenUp = false;
    const giveUp = () => {
      isGivenUp = true;
      handler.onError?.(signal?.reason);
    };
    const watched: Dispatcher.DispatchHandler = {
      onConnect(abort) {
        signal?.removeEventListener('abort', giveUp);
        if (isGivenUp) return abort();
        isReused = wasUsed;
        isHeadExpected = true;
        handler.onConnect?.(abort);
      },
      onResponseStarted() {
        canRepeat = false;
        wasUsed = true;
        handler.onResponseStarted?.();
      },
      onHeaders(status, headers, resume, text) {
        isHeadExpected = status < 200;
        return handler.onHeaders?.(status, headers, resume, text) ?? true;
      },
      onData: (chunk) => handler.onData?.(chunk) ?? true,
      onComplete: (trailers) => handler.onComplete?.(trailers),
      onError(error) {
        signal?.removeEventListener('abort', giveUp);
        if (isGivenUp) return;
        const { code = '' } = error as NodeJS.ErrnoException;
        if (!canRepeat || !isReused || !connectionLostCodes.includes(code)) return handler.onError?.(error);
        canRepeat = false;
        send();
      },
    };
    const send = () => {
      if (signal?.aborted) {
        giveUp();
        return true;
      }
      signal?.addEventListener('abort', giveUp, { once: true });
      return dispatch(request, watched);
    };
    return send();
  };
  return client;
}

const informational = /^HTTP\/1\.\d 1\d\d[ \r]/;

/** Changes the status `100` to `102`, which undici ignores. Changes no other byte, and nothing in a body. */
function ignoreContinue(socket: Socket, isHeadExpected: () => boolean): void {
  const read = socket.read.bind(socket);
  socket.read = (size) => {
    const chunk: Buffer | null = read(size);
    if (!chunk || !isHeadExpected()) return chunk;
    for (let at = 0; informational.test(chunk.toString('latin1', at, at + 13)); ) {
      if (chunk.toString('latin1', at + 9, at + 12) === '100') chunk.write('2', at + 11);
      const end = chunk.indexOf('\r\n\r\n', at);
      at = end < 0 ? chunk.length : end + 4;
    }
    return chunk;
  };
}
