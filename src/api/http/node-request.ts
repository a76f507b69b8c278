import type { Context } from 'hono';

type NodeRequest = { url?: string; headers: Record<string, string | undefined>; socket: { remoteAddress?: string } };

/** Returns the request as Node received it, or `undefined` if a test calls the app without a server. */
const toNodeRequest = (c: Context) => (c.env as { incoming?: NodeRequest } | undefined)?.incoming;

/** Returns the request target as the client sent it. `c.req.url` also has the scheme and the host. */
export const toTarget = (c: Context) => toNodeRequest(c)?.url ?? c.req.url;

/** Returns the IP address of the caller or of the proxy in front of this API, or '' without a server. */
export const toAddress = (c: Context) => toNodeRequest(c)?.socket.remoteAddress ?? '';

/**
 * Returns whether the headers announce a body. Without a server, the result is true. Reads Node's headers, because Hono
 * would first build a Request.
 */
export function mayHaveBody(c: Context): boolean {
  const headers = toNodeRequest(c)?.headers;
  return !headers || 'transfer-encoding' in headers || Number(headers['content-length'] ?? 0) > 0;
}
