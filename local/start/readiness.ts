import { request } from 'undici';
import type { Say } from '../../cli/progress.ts';
import { until } from '../../cli/until.ts';
import { direct } from '../../src/outbound/dispatcher.ts';

export type Probe = { name: string; url: string };

type Options = { say: Say; signal: AbortSignal; withinMs?: number };

/** Returns why the probe is not ready, or undefined when it answers 200. */
async function findWhatIsMissing({ name, url }: Probe): Promise<string | undefined> {
  try {
    const { statusCode, body } = await request(url, { dispatcher: direct, signal: AbortSignal.timeout(5_000) });
    if (statusCode === 200) return void (await body.dump());
    const { detail = `HTTP ${statusCode}` } = (await body.json().catch(() => ({}))) as { detail?: string };
    return `${name}: ${detail}`;
  } catch (error) {
    const { code, name: kind } = error as NodeJS.ErrnoException;
    return `${name}: no answer from ${url} (${typeof code === 'string' ? code : kind})`;
  }
}

/**
 * Waits until every probe answers 200. Prints what is missing each time this changes. Each time it prints a new line:
 * the children write to the same terminal, so an earlier line cannot be updated in place.
 * @throws {SetupError} if a probe is not ready after `withinMs`. The message names what is missing.
 */
export async function waitUntilReady(probes: Probe[], { say, signal, withinMs = 120_000 }: Options) {
  let missing = '';
  const isReady = async () => {
    const now = (await Promise.all(probes.map(findWhatIsMissing))).filter((text) => text !== undefined).join('; ');
    if (now && now !== missing) say(`Waiting. ${now}`);
    missing = now;
    return missing === '';
  };
  const onTimeout = () => `Not ready after ${withinMs / 1_000} s. ${missing}. The lines above may say why.`;
  await until(isReady, { withinMs, everyMs: 500, signal, onTimeout });
}
