import { request } from 'undici';
import type { Config } from '../../src/config/config.ts';
import { createDispatcher } from '../../src/outbound/dispatcher.ts';

type Options = { demo: boolean; say: (line: string) => void };

/** Returns whether the upstream answers. An error status counts as an answer, because tasks are retried after it. */
const isReachable = ({ upstreamUrl, proxies }: Config) =>
  request(`${upstreamUrl}/jokes/random`, {
    dispatcher: createDispatcher(proxies),
    signal: AbortSignal.timeout(3_000),
  }).then(
    async ({ body }) => {
      body.on('error', () => {}).destroy();
      return true;
    },
    () => false,
  );

/**
 * Returns whether tasks fetch from the local joke API, and tells the user if so. They do with `--demo`, and they do if
 * `API_BASE_URL` is unset and the default upstream cannot be reached.
 */
export async function usesJokeApi(config: Config, { demo, say }: Options) {
  const { upstreamUrl, upstreamIsDefault, jokeApiPort } = config;
  if (demo) {
    const instead = upstreamIsDefault ? '' : `, not from API_BASE_URL=${upstreamUrl}`;
    say(`--demo: jokes come from the local joke API on port ${jokeApiPort}${instead}`);
    return true;
  }
  if (!upstreamIsDefault || (await isReachable(config))) return false;
  say(
    `*** ${upstreamUrl} CANNOT BE REACHED: jokes come from the local joke API instead; set API_BASE_URL to choose another upstream ***`,
  );
  return true;
}
