import type { Socket } from 'node:net';
import { type buildConnector, Client, type Dispatcher } from 'undici';

/** The codes of a lost connection. The other side may have closed it before the request arrived. */
const connectionLostCodes = ['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'UND_ERR_SOCKET'];

/** If the connection was already closed, we learn that within a round trip. Later losses may have other causes. */
const repeatWithinMs = 2_000;

/**
 * Creates an undici client, which has one connection at a time. It differs from undici's own in three points:
 *
 * - If a reused connection is lost within 2 s and before any byte of the answer, a GET is sent once more on a new
 *   connection. The other side may close an idle connection at any moment (RFC 9112 section 9.3.1).
 * - 1xx answers before the final one are ignored (RFC 9110 section 15.2). undici would fail at a `100 Continue`.
 * - A call whose signal aborts ends at once. undici would first wait until it is connected.
 */
export function createClient(
  origin: URL,
  { connect, ...options }: Client.Options & { connect: buildConnector.connector; maxHeaderSize: number },
): Client {
  let wasUsed = false;
  let expectAnswer = (_onByte: () => void) => {};
  const client = new Client(origin, {
    ...options,
    connect: (target, callback) =>
      connect(target, (...[error, socket]) => {
        if (error) return callback(error, null);
        wasUsed = false;
        expectAnswer = removeInformational(socket, options.maxHeaderSize);
        callback(null, socket);
      }),
  });
  const dispatch = client.dispatch.bind(client);
  client.dispatch = (request, handler) => {
    const { signal } = request as { signal?: AbortSignal };
    let canRepeat = request.method === 'GET';
    let isReused = false;
    let isGivenUp = false;
    let sentAt = 0;
    const giveUp = () => {
      isGivenUp = true;
      handler.onError?.(signal?.reason);
    };
    const watched: Dispatcher.DispatchHandler = {
      onConnect(abort) {
        signal?.removeEventListener('abort', giveUp);
        if (isGivenUp) return abort();
        isReused = wasUsed;
        sentAt = performance.now();
        expectAnswer(() => {
          canRepeat = false;
        });
        handler.onConnect?.(abort);
      },
      onResponseStarted() {
        wasUsed = true;
        handler.onResponseStarted?.();
      },
      onHeaders: (status, headers, resume, text) => handler.onHeaders?.(status, headers, resume, text) ?? true,
      onData: (chunk) => handler.onData?.(chunk) ?? true,
      onComplete: (trailers) => handler.onComplete?.(trailers),
      onError(error) {
        signal?.removeEventListener('abort', giveUp);
        if (isGivenUp) return;
        const { code = '' } = error as NodeJS.ErrnoException;
        const isRecent = performance.now() - sentAt < repeatWithinMs;
        if (!canRepeat || !isReused || !isRecent || !connectionLostCodes.includes(code))
          return handler.onError?.(error);
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

/** Matches the status line of every 1xx answer except 101, which would change the protocol. */
const informational = /^HTTP\/1\.\d 1(?!01)\d\d[ \r]/;
const template = 'HTTP/1.1 199 ';

/**
 * Removes 1xx answers from what `socket` reads, even if they are cut into chunks. Returns a function that must be
 * called when a request is sent. Once the final answer begins, nothing is removed. `onByte` is called for each chunk
 * up to and including the first of the final answer.
 */
function removeInformational(socket: Socket, maxHeaderSize: number): (onByte: () => void) => void {
  const read = socket.read.bind(socket);
  let held = Buffer.alloc(0);
  let isExpected = false;
  let notify = () => {};
  socket.read = (size) => {
    const chunk: Buffer | null = read(size);
    if (!chunk || !isExpected) return chunk;
    notify();
    for (held = Buffer.concat([held, chunk]); ; ) {
      const start = held.toString('latin1', 0, template.length);
      // The template stands for the bytes that have not arrived.
      if (!informational.test(start + template.slice(start.length))) break;
      const end = held.indexOf('\r\n\r\n');
      // undici refuses a head that is too large.
      if (end < 0 && held.length > maxHeaderSize) break;
      if (end < 0) return null;
      held = held.subarray(end + 4);
    }
    isExpected = false;
    const answer = held;
    held = Buffer.alloc(0);
    return answer;
  };
  return (onByte) => {
    isExpected = true;
    notify = onByte;
  };
}
