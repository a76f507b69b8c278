import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import type { Config } from '../../config/config.ts';
import { Problem } from '../problems/problem.ts';

const loopbackHost = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;

const toHost = (url: string) => (URL.canParse(url) ? new URL(url).host : undefined);

/**
 * Whether a browser makes the call for a page of another origin. Browsers say so in `Sec-Fetch-Site`, which pages
 * cannot set. The hosts are compared only if that header is missing, because a reverse proxy may replace `Host`.
 */
function isForeign({ req }: Context, host: string): boolean {
  const site = req.header('sec-fetch-site');
  const origin = req.header('origin');
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  return origin !== undefined && toHost(origin) !== host;
}

/**
 * Refuses calls that a browser makes for a foreign page. A state-changing call from another origin gets 403. If no API
 * keys are configured, every call to a host other than loopback gets 421. This stops DNS rebinding.
 */
export const guardOrigin = ({ apiKeys }: Pick<Config, 'apiKeys'>) =>
  createMiddleware(async (c, next) => {
    const host = c.req.header('host') ?? '';
    // If the request target is an absolute URL, its host overrides the Host header (RFC 9112 section 3.2.2).
    const isLoopback = () => loopbackHost.test(host) && loopbackHost.test(toHost(c.req.url) ?? '');
    if (apiKeys.length === 0 && !isLoopback()) {
      const detail = 'Without API keys this API answers only requests to localhost or a loopback address';
      throw new Problem('misdirected-request', detail);
    }
    if (!['GET', 'HEAD', 'OPTIONS'].includes(c.req.method) && isForeign(c, host)) {
      throw new Problem('forbidden', 'A page of another origin cannot make this call');
    }
    await next();
  });
