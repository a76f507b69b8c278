import { randomInt } from 'node:crypto';

/** Whether a host in the configuration is loopback. */
export const isLoopback = (host: string) => /^(localhost|127\.0\.0\.1|::1)$/.test(host);

const loopbackHost = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;

const toHost = (url: string) => (URL.canParse(url) ? new URL(url).host : undefined);

/** A request, as Hono has it. If the request target is an absolute URL, `url` is that URL. */
export type ReceivedRequest = { method: string; url: string; header(name: string): string | undefined };

/** Why a listener must refuse a request. `slug` names the problem with which the API answers. */
export type Refusal = { slug: 'misdirected-request' | 'forbidden'; status: 421 | 403; detail: string };

/**
 * Whether a browser makes the call for a page of another origin. Browsers say so in `Sec-Fetch-Site`, which pages
 * cannot set. The hosts are compared only if that header is missing, because a reverse proxy may replace `Host`.
 */
function isForeign(request: ReceivedRequest, host: string): boolean {
  const site = request.header('sec-fetch-site');
  const origin = request.header('origin');
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  return origin !== undefined && toHost(origin) !== host;
}

/**
 * Returns why a listener must refuse the request, or `undefined` if it may answer. A listener must refuse
 * state-changing calls that a browser makes for a page of another origin. With `loopbackOnly`, it must also refuse
 * every call to a host other than loopback. This stops DNS rebinding, where a page makes its own host name lead to this
 * machine.
 */
export function findRefusal(
  request: ReceivedRequest,
  { loopbackOnly }: { loopbackOnly: boolean },
): Refusal | undefined {
  const host = request.header('host') ?? '';
  // If the request target is an absolute URL, its host overrides the Host header (RFC 9112 section 3.2.2).
  if (loopbackOnly && !(loopbackHost.test(host) && loopbackHost.test(toHost(request.url) ?? '')))
    return {
      slug: 'misdirected-request',
      status: 421,
      detail: 'Only requests to localhost or a loopback address are answered here',
    };
  if (!['GET', 'HEAD', 'OPTIONS'].includes(request.method) && isForeign(request, host))
    return { slug: 'forbidden', status: 403, detail: 'A page of another origin cannot make this call' };
  return undefined;
}

/**
 * Returns a loopback address for a listener that cannot check its requests. On Linux the address is random, so no web
 * page can guess it. Other systems have only one address.
 */
export const toHiddenAddress = () =>
  process.platform === 'linux' ? `127.${randomInt(1, 255)}.${randomInt(256)}.${randomInt(1, 255)}` : '127.0.0.1';
