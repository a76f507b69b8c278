import type { Context } from 'hono';

type NodeRequest = { url?: string; headers: Record<string, string | undefined>; socket: { remoteAddress?: string } };

/** The request as Node received it; `undefined` where a test calls the app without a server. */
export const toNodeRequest = (c: Context) => (c.env as { incoming?: NodeRequest } | undefined)?.incoming;
