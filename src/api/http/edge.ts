import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { createMiddleware } from 'hono/factory';
import type { Config } from '../../config/config.ts';
import { Problem } from '../problems/problem.ts';

export const maximumBodyBytes = 64 * 1024;
/** A start of 2.2 MB is refused by Temporal (measured). */
export const maximumBatchBytes = 1536 * 1024;
export const maximumUrlLength = 8 * 1024;
/** Node's parser enforces these two (see `listen.ts`); its answers are problems too. */
export const maximumHeaderBytes = 16 * 1024;
export const requestTimeoutMs = 15_000;

/**
 * What every answer carries; nothing here is for a browser to cache, frame or guess at. Set before the handlers run: set
 * after them, the answer would be copied into another Response. (hono's secureHeaders sets them after, and more of them.)
 */
export const safeHeaders = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

export const setSafeHeaders = createMiddleware(async (c, next) => {
  for (const [name, value] of Object.entries(safeHeaders)) c.header(name, value);
  await next();
});

const refuseOver = (maxSize: number) =>
  bodyLimit({
    maxSize,
    onError: () => {
      throw new Problem('body-too-large', `A body has at most ${maxSize} bytes here`, {
        headers: { Connection: 'close' },
      });
    },
  });
const refuseLarger = refuseOver(maximumBodyBytes);
const refuseLargerBatch = refuseOver(maximumBatchBytes);

/** `/batches/{name}` takes a batch's items; a cancellation has nothing to say. */
const takesBatch = (path: string) => /^\/batches\/[^/]*$/.test(path);

type NodeRequest = { incoming?: { url?: string; headers: Record<string, string | undefined> } };

/** The request as Node has it; undefined where a test asks the app without a server. */
const toIncoming = (c: Context) => (c.env as NodeRequest | undefined)?.incoming;

/** Whether a body may follow, by the headers alone: to ask the Request for it would build one, for nothing as a rule. */
export function mayHaveBody(c: Context): boolean {
  const headers = toIncoming(c)?.headers;
  return !headers || 'transfer-encoding' in headers || Number(headers['content-length'] ?? 0) > 0;
}

/** Refuses larger bodies; a chunked one is read here, and may end before its time. */
export const limitBody = createMiddleware(async (c, next) => {
  if (!mayHaveBody(c)) return next();
  try {
    return await (takesBatch(c.req.path) ? refuseLargerBatch : refuseLarger)(c, next);
  } catch (error) {
    throw error instanceof Problem ? error : toCutShort();
  }
});

/** For a client that went away before its body was complete: nobody reads this answer, but the log and the metrics do. */
export const toCutShort = () => new Problem('bad-request', 'The body ended before it was complete');

const loopbackHost = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;

/**
 * Refuses what a browser would send on behalf of a foreign page: without API keys a host name that is not loopback's
 * (DNS rebinding), and a state-changing call from another origin. Also URLs over 8 KiB.
 */
export const guardOrigin = ({ apiKeys }: Pick<Config, 'apiKeys'>) =>
  createMiddleware(async (c, next) => {
    // As it was sent: the framework's own begins with scheme and host.
    const target = toIncoming(c)?.url ?? c.req.url;
    if (target.length > maximumUrlLength)
      throw new Problem('uri-too-long', `A URL has at most ${maximumUrlLength} characters`);
    const host = c.req.header('host') ?? '';
    // A target in absolute form names a host of its own, which counts whatever Host says (RFC 9112 section 3.2.2).
    const isLoopback = () => loopbackHost.test(host) && loopbackHost.test(toHost(c.req.url) ?? '');
    if (apiKeys.length === 0 && !isLoopback()) {
      throw new Problem(
        'misdirected-request',
        'Without API keys this API answers only to localhost and the addresses of loopback',
      );
    }
    const origin = c.req.header('origin');
    const isForeign =
      c.req.header('sec-fetch-site') === 'cross-site' || (origin !== undefined && toHost(origin) !== host);
    if (isForeign && !['GET', 'HEAD', 'OPTIONS'].includes(c.req.method)) {
      throw new Problem('forbidden', 'State-changing calls are not taken from pages of another origin');
    }
    await next();
  });

/** The URL parser of the framework drops a parameter whose name is empty; here it is as unknown as any other. */
export const refuseNameless = createMiddleware(async (c, next) => {
  const [, query = ''] = c.req.url.split('?', 2);
  if (/(^|&)=/.test(query)) {
    const detail = 'is not known here';
    throw new Problem('bad-request', `#/: ${detail}`, { errors: [{ pointer: '#/', detail }] });
  }
  await next();
});

const toHost = (origin: string) => (URL.canParse(origin) ? new URL(origin).host : undefined);
