import { type Environment, loadConfig, loadProxies } from '../../src/config/config.ts';
import { toHttpUrl } from '../../src/http-url.ts';
import type { Proxies } from '../../src/outbound/dispatcher.ts';
import { SetupError } from '../setup-error.ts';
import { ApiProblem } from './holdfast-client.ts';

/** The URL of a running Holdfast, the API key for it, and the proxies on the way to it. */
export type Target = { url: string; apiKey: string | undefined; proxies?: Proxies };

/**
 * Returns the URL and the key that client commands use. The URL is `url` (the flag `--url`). Without `url`, it is
 * `HOLDFAST_URL`. Without both, it is made from `HOST` and `PORT`. The key comes from `HOLDFAST_API_KEY`. There is no
 * flag for the key, because process listings show flags.
 * @throws {SetupError} if the URL is not valid.
 * @throws {ConfigError} if the environment is not valid.
 */
export function toTarget(environment: Environment, url = environment.HOLDFAST_URL || undefined): Target {
  const apiKey = environment.HOLDFAST_API_KEY || undefined;
  if (url === undefined) {
    const { host, port, proxies } = loadConfig(environment);
    return { url: toUrl(host, port), apiKey, proxies };
  }
  return { url: toBaseUrl(url, 'a Holdfast'), apiKey, proxies: loadProxies(environment) };
}

/** Returns the URL at which this machine reaches a server that listens on `host`. */
export function toUrl(host: string, port: number): string {
  return toHttpUrl(host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host, port);
}

/**
 * Checks a URL that a user typed, and returns it without slashes at the end.
 * @param what Names the expected server in the error message, for example `a Holdfast`.
 * @throws {SetupError} if the text is not an HTTP URL.
 */
export function toBaseUrl(text: string, what: string): string {
  if (!URL.canParse(text) || !/^https?:\/\//.test(text))
    throw new SetupError(`${text || "''"} is not the URL of ${what}: write it as http://host:port.`);
  return text.replace(/\/+$/, '');
}

/** Turns a 401 into an error that names the variable to set. Returns any other error unchanged. */
export function toKeyFault(error: unknown, { url, apiKey }: Target): unknown {
  if (!(error instanceof ApiProblem) || error.status !== 401) return error;
  return new SetupError(
    apiKey === undefined
      ? `${url} requires an API key. Set HOLDFAST_API_KEY to one of the secrets in its API_KEYS.`
      : `${url} does not know the key in HOLDFAST_API_KEY: set it to a secret of its API_KEYS, without the name.`,
  );
}
