import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { getRequestListener, RequestError } from '@hono/node-server';
import type { createApp } from './api/app.ts';
import { maximumHeaderBytes, maximumUrlLength, requestTimeoutMs } from './api/http/limits.ts';
import { safeHeaders } from './api/http/safe-headers.ts';
import { Problem } from './api/problems/problem.ts';
import { type ProblemSlug, problems } from './api/problems/problems.ts';
import type { Config } from './config/config.ts';

/** Node's error for bytes that its HTTP parser refuses (https://nodejs.org/api/http.html#event-clienterror). */
type ParserError = NodeJS.ErrnoException & { rawPacket?: Buffer };

/**
 * How many connections may wait until they are accepted. With Node's default of 511, the kernel ignores some of 700
 * clients that connect at once, and these wait up to 15 s until they try again. The kernel may allow less.
 */
const backlog = 4_096;

type Options = Pick<Config, 'host' | 'port' | 'keepAliveMs' | 'maxConnections' | 'apiKeys'>;

/**
 * Listens on the configured address and returns the server. Requests that Node's parser or Hono's adapter refuses do
 * not reach the app. The answer to such a request is a problem document, like the app's own errors.
 * @throws the system's error (`EADDRINUSE`, `EACCES`, …) if the address cannot be used.
 */
export async function listen(
  app: ReturnType<typeof createApp>,
  { host, port, keepAliveMs, maxConnections, apiKeys }: Options,
): Promise<Server> {
  const limits = {
    maxHeaderSize: maximumHeaderBytes,
    headersTimeout: requestTimeoutMs - 2_000,
    requestTimeout: requestTimeoutMs - 2_000,
    connectionsCheckingInterval: 1_000,
    // A load balancer would send requests into closing connections if it kept idle ones longer than we do.
    keepAliveTimeout: keepAliveMs,
    // Node itself would answer a request without Host with an empty 400. Hono's adapter refuses such a request too, and
    // `errorHandler` then answers.
    requireHostHeader: false,
  };
  const listener = getRequestListener(app.fetch, {
    errorHandler: (error) => toResponse(error instanceof RequestError ? 'bad-request' : 'internal-error'),
  });
  const server = createServer(limits, listener);
  /** The unfinished responses of each connection, in the order of the requests. */
  const answering = new WeakMap<Socket, Set<ServerResponse>>();
  /** The connections without an authenticated request, the oldest first. */
  const strangers = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    strangers.add(socket);
    for (const event of ['authenticated', 'close']) socket.once(event, () => strangers.delete(socket));
    // Clients send their first request at once, so the oldest connection without one is the least likely to send it.
    const [oldest] = strangers;
    if (oldest && strangers.size > maxConnections) strangers.delete(oldest.destroy());
    const responses = new Set<ServerResponse>();
    answering.set(socket, responses);
    // Node emits 'close' only on the response that has the socket. The pipelined responses behind that response need
    // the event as well.
    socket.once('close', () => {
      for (const response of responses) if (!response.socket) response.emit('close');
    });
  });
  server.on('request', (request, response) => {
    const responses = answering.get(request.socket);
    responses?.add(response);
    if (apiKeys.length === 0) strangers.delete(request.socket);
    response.once('close', () => responses?.delete(response));
  });
  server.on('clientError', (error: ParserError, socket: Socket) => {
    const response = [...(answering.get(socket) ?? [])].at(-1);
    // The bad bytes follow a complete request. This request may have started a task, so its answer must still be sent.
    if (response?.req.complete && !response.writableFinished && error.code !== 'ECONNRESET')
      response.once('close', () => socket.destroy()).once('finish', () => socket.end());
    else if (socket.writable && error.code !== 'ECONNRESET') refuse(socket, toSlug(error));
    else socket.destroy();
  });
  server.on('connect', (_, socket: Socket) =>
    refuse(
      socket.on('error', () => socket.destroy()),
      'method-not-allowed',
    ),
  );
  // The app answers despite an unknown expectation (RFC 9110 section 10.1.1). Node would answer with an empty 417.
  server.on('checkExpectation', listener);
  server.listen({ port, host, backlog });
  await once(server, 'listening');
  return server;
}

/** Matches a request line with any method. Bytes of another protocol do not match, because they are a bad request. */
const requestLine = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ [^\s]*( HTTP\/1\.[01])?(\r\n|$)/;

function toSlug({ code, rawPacket }: ParserError): ProblemSlug {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request-timeout';
  const [line = ''] = requestLine.exec(rawPacket?.toString('latin1') ?? '') ?? [];
  if (code === 'HPE_HEADER_OVERFLOW') return line.length > maximumUrlLength ? 'uri-too-long' : 'headers-too-large';
  return code === 'HPE_INVALID_METHOD' && line.endsWith('\r\n') ? 'method-not-allowed' : 'bad-request';
}

/** Returns the answer to a request that did not reach the app, with the same headers as the app's answers. */
function toAnswer(slug: ProblemSlug) {
  const problem = new Problem(slug, 'The request could not be read');
  return {
    status: problems[slug].status,
    body: JSON.stringify(problem.toJSON('/')),
    headers: {
      'Content-Type': 'application/problem+json',
      'X-Request-Id': randomUUID(),
      ...safeHeaders,
      ...problem.headers,
      Connection: 'close',
    },
  };
}

function toResponse(slug: ProblemSlug): Response {
  const { status, headers, body } = toAnswer(slug);
  return new Response(body, { status, headers });
}

function refuse(socket: Socket, slug: ProblemSlug): void {
  const { status, headers, body } = toAnswer(slug);
  const lines = Object.entries({ ...headers, 'Content-Length': Buffer.byteLength(body) });
  const text = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${text}\r\n${body}`);
}
