import { isIPv6 } from 'node:net';
import { type Environment, loadConfig } from '../../src/config/config.ts';
import { SetupError } from '../setup-error.ts';
import { ApiProblem } from './holdfast-client.ts';

/** The URL of a running Holdfast, and the API key for it. */
export type Target = { url: string; apiKey: string | undefined };

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
    const { host, port } = loadConfig(environment);
    return { url: toUrl(host, port), apiKey };
  }
  return { url: toBaseUrl(url, 'a Holdfast'), apiKey };
}

/** Returns the URL at which this machine reaches a server that listens on `host`. */
export function toUrl(host: string, port: number): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${isIPv6(reachable) ? `[${reachable}]` : reachable}:${port}`;
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
