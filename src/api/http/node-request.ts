import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';

type NodeSocket = { remoteAddress?: string; emit?: (event: string) => boolean };
type NodeRequest = {
  url?: string;
  complete?: boolean;
  headers: Record<string, string | undefined>;
  socket: NodeSocket;
};

/** Returns the request as Node received it, or `undefined` if a test calls the app without a server. */
const toNodeRequest = (c: Context) => (c.env as { incoming?: NodeRequest } | undefined)?.incoming;

/** Returns the request target as the client sent it. `c.req.url` also has the scheme and the host. */
export const toTarget = (c: Context) => toNodeRequest(c)?.url ?? c.req.url;

/** Returns the IP address of the caller or of the proxy in front of this API, or '' without a server. */
export const toAddress = (c: Context) => toNodeRequest(c)?.socket.remoteAddress ?? '';

/** Tells `listen.ts` that the connection has made an authenticated request. */
export const markAuthenticated = (c: Context) => void toNodeRequest(c)?.socket.emit?.('authenticated');

/** Returns the size that the headers give the body, or `undefined` for a chunked body and without a server. */
export function toDeclaredBytes(c: Context): number | undefined {
  const headers = toNodeRequest(c)?.headers;
  return !headers || 'transfer-encoding' in headers ? undefined : Number(headers['content-length'] ?? 0);
}

/**
 * Returns whether the headers announce a body. Without a server, the result is true. Reads Node's headers, because Hono
 * would first build a Request.
 */
export const mayHaveBody = (c: Context): boolean => toDeclaredBytes(c) !== 0;

/** Returns whether the body has not arrived completely. */
const isArriving = (c: Context): boolean => toNodeRequest(c)?.complete === false;

/**
 * Closes the connection after the answer if the body of the request has not arrived. To use the connection again, Node
 * would have to read the body, which may never end.
 */
export const closeUnread = createMiddleware(async (c, next) => {
  await next();
  if (isArriving(c)) c.header('Connection', 'close');
});
