import type { Config } from '../../src/config/config.ts';

type Options = { demo: boolean; say: (line: string) => void };

/** Any answer counts, an error too: tasks are retried while the upstream fails. */
const isReachable = (url: string) =>
  fetch(`${url}/jokes/random`, { redirect: 'manual', signal: AbortSignal.timeout(3_000) }).then(
    async (response) => {
      await response.body?.cancel();
      return true;
    },
    () => false,
  );

/**
 * Whether tasks fetch from the local joke API: with `--demo`, or when the default upstream cannot be reached. Says
 * so.
 */
export async function usesJokeApi({ upstreamUrl, upstreamIsDefault, jokeApiPort }: Config, { demo, say }: Options) {
  if (demo) {
    const instead = upstreamIsDefault ? '' : `, not from API_BASE_URL=${upstreamUrl}`;
    say(`--demo: jokes come from the local joke API on port ${jokeApiPort}${instead}`);
    return true;
  }
  if (!upstreamIsDefault || (await isReachable(upstreamUrl))) return false;
  say(
    `*** ${upstreamUrl} CANNOT BE REACHED: jokes come from the local joke API instead; set API_BASE_URL to choose another upstream ***`,
  );
  return true;
}
