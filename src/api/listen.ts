import { once } from 'node:events';
import { type Server, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { serve } from '@hono/node-server';
import type { Config } from '../config.ts';
import type { createApp } from './app.ts';
import { maximumHeaderBytes, requestTimeoutMs } from './edge.ts';
import { Problem, type ProblemSlug, problems } from './problem.ts';

/** What Node's parser refuses by itself, before any of our code runs (https://nodejs.org/api/http.html#event-clienterror). */
const parserProblems: Record<string, ProblemSlug> = {
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
};

/**
 * Listens on the configured address and resolves when it does.
 * @throws the listening error (`EADDRINUSE`, `EACCES`, …) when the address cannot be had.
 */
export async function listen(
  app: ReturnType<typeof createApp>,
  { host, port }: Pick<Config, 'host' | 'port'>,
): Promise<Server> {
  const server = serve({
    fetch: app.fetch,
    hostname: host,
    port,
    serverOptions: {
      maxHeaderSize: maximumHeaderBytes,
      headersTimeout: requestTimeoutMs - 2_000,
      requestTimeout: requestTimeoutMs - 2_000,
      connectionsCheckingInterval: 1_000,
    },
  }) as Server;
  server.on('clientError', answerParserError);
  await once(server, 'listening');
  return server;
}

function answerParserError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const slug = parserProblems[error.code ?? ''] ?? 'bad-request';
  const { status } = problems[slug];
  const body = JSON.stringify(new Problem(slug, 'The request could not be read').toJSON('/'));
  const headers = {
    'Content-Type': 'application/problem+json',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'Content-Security-Policy': "default-src 'none'",
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
    Connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`);
}
