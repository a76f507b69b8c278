import { toUrl } from '../../local/start/addresses.ts';
import { type Environment, loadConfig } from '../../src/config/config.ts';
import { SetupError } from '../setup-error.ts';
import { ApiProblem } from './holdfast-client.ts';

/** Where a running Holdfast is, and the key to call it with. */
export type Target = { url: string; apiKey: string | undefined };

/**
 * The Holdfast that client commands talk to: `--url`, else `HOLDFAST_URL`, else where `HOST` and `PORT` of this environment
 * put one. The key comes from `HOLDFAST_API_KEY` alone: a flag would stand in every process listing.
 * @throws {SetupError} for a URL that is none; {ConfigError} for a bad environment.
 */
export function toTarget(environment: Environment, url = environment.HOLDFAST_URL || undefined): Target {
  const apiKey = environment.HOLDFAST_API_KEY || undefined;
  if (url === undefined) {
    const { host, port } = loadConfig(environment);
    return { url: toUrl(host, port), apiKey };
  }
  return { url: toBaseUrl(url, 'a Holdfast'), apiKey };
}

/**
 * A URL as people give it, without a slash at the end.
 * @throws {SetupError} for a text that is none, naming what it should lead to.
 */
export function toBaseUrl(text: string, what: string): string {
  if (!URL.canParse(text) || !/^https?:\/\//.test(text))
    throw new SetupError(`${text || "''"} is no URL of ${what}: write it as http://host:port.`);
  return text.replace(/\/+$/, '');
}

/** A key that is missing or wrong, told with the variable that mends it; any other error as it is. */
export function toKeyFault(error: unknown, { url, apiKey }: Target): unknown {
  if (!(error instanceof ApiProblem) || error.status !== 401) return error;
  return new SetupError(
    apiKey === undefined
      ? `${url} wants an API key: set HOLDFAST_API_KEY to a secret of its API_KEYS.`
      : `${url} does not know the key in HOLDFAST_API_KEY: set it to a secret of its API_KEYS, without the name.`,
  );
}
