import type { Context } from 'hono';

type NodeRequest = { url?: string; headers: Record<string, string | undefined>; socket: { remoteAddress?: string } };

/** The request as Node received it; `undefined` where a test calls the app without a server. */
const toNodeRequest = (c: Context) => (c.env as { incoming?: NodeRequest } | undefined)?.incoming;

/** The request target as sent. `c.req.url` starts with scheme and host. */
export const toTarget = (c: Context) => toNodeRequest(c)?.url ?? c.req.url;

/** The address of the caller, or of the proxy before this API. */
export const toAddress = (c: Context) => toNodeRequest(c)?.socket.remoteAddress ?? '';

/** Whether a body may follow, by the headers alone: asking Hono's Request would first build one. */
export function mayHaveBody(c: Context): boolean {
  const headers = toNodeRequest(c)?.headers;
  return !headers || 'transfer-encoding' in headers || Number(headers['content-length'] ?? 0) > 0;
}
