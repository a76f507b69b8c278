import { type Environment, loadConfig } from '../../src/config.ts';
import { SetupError } from '../setup-error.ts';
import { toUrl } from '../start/addresses.ts';

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
  if (!URL.canParse(url) || !/^https?:\/\//.test(url))
    throw new SetupError(`${url} is no URL of a Holdfast: write it as http://host:port.`);
  return { url: url.replace(/\/+$/, ''), apiKey };
}
