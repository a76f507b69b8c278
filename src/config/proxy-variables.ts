import { z } from 'zod';
import type { Proxies } from '../outbound/dispatcher.ts';

/** Returns the URL of an HTTP proxy. Accepts host:port, as curl does. The fault omits the URL and its password. */
function toProxy(text: string, context: z.RefinementCtx): string {
  const given = text.includes('://') ? text : `http://${text}`;
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url && ['http:', 'https:'].includes(url.protocol)) return url.href;
  context.addIssue({ code: 'custom', message: 'must be the http:// or https:// URL of an HTTP proxy' });
  return '';
}

const proxy = z.string().transform(toProxy).optional();

export const proxySettings = z.object({ HTTP_PROXY: proxy, HTTPS_PROXY: proxy, NO_PROXY: z.string().optional() });

const names = Object.keys(proxySettings.shape);

export const lowerCaseProxyVariables = names.map((name) => name.toLowerCase());

/** Returns `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`. As with curl, the name in lower case takes precedence. */
export const toProxyVariables = (environment: Record<string, string | undefined>) =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = environment[name.toLowerCase()] || environment[name];
      return value ? [[name, value]] : [];
    }),
  );

/** Returns the proxies that these settings choose. */
export const toProxies = ({ HTTP_PROXY, HTTPS_PROXY, NO_PROXY }: z.output<typeof proxySettings>): Proxies => ({
  httpProxy: HTTP_PROXY ?? '',
  httpsProxy: HTTPS_PROXY ?? '',
  noProxy: NO_PROXY ?? '',
});
