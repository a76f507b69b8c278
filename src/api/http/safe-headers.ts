import { createMiddleware } from 'hono/factory';

/** The headers of every answer: browsers must not cache it, frame it or guess its type. */
export const safeHeaders = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

/**
 * Sets the headers before the handlers run. Hono's `secureHeaders` sets them afterwards, which copies each answer into
 * a new Response.
 */
export const setSafeHeaders = createMiddleware(async (c, next) => {
  for (const [name, value] of Object.entries(safeHeaders)) c.header(name, value);
  await next();
});
