import { createMiddleware } from 'hono/factory';

/** Every answer has these headers. They tell browsers not to cache or frame the answer, and not to guess its type. */
export const safeHeaders = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

/**
 * Sets `safeHeaders` before the handlers run. Hono's `secureHeaders` would set headers after the handlers, which copies
 * each answer into a new Response.
 */
export const setSafeHeaders = createMiddleware(async (c, next) => {
  for (const [name, value] of Object.entries(safeHeaders)) c.header(name, value);
  await next();
});
