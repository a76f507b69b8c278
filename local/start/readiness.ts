import { setTimeout as sleep } from 'node:timers/promises';
import type { Say } from '../../cli/progress.ts';
import { SetupError } from '../../cli/setup-error.ts';

export type Probe = { name: string; url: string };

type Options = { say: Say; signal: AbortSignal; withinMs?: number };

/** What is missing, in words; undefined when the probe answers 200. */
async function findWhatIsMissing({ name, url }: Probe): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    if (response.status === 200) return void (await response.body?.cancel());
    const { detail = `HTTP ${response.status}` } = (await response.json().catch(() => ({}))) as { detail?: string };
    return `${name}: ${detail}`;
  } catch {
    return `${name}: no answer from ${url}`;
  }
}

/**
 * Waits until every probe answers 200, and says what is missing whenever that changes: the children write to the same
 * terminal meanwhile, so that no line of ours could rewrite itself.
 * @throws {SetupError} naming it, if that takes too long.
 */
export async function waitUntilReady(probes: Probe[], { say, signal, withinMs = 120_000 }: Options) {
  const deadline = performance.now() + withinMs;
  let said = '';
  for (;;) {
    const missing = (await Promise.all(probes.map(findWhatIsMissing))).filter((text) => text !== undefined).join('; ');
    if (!missing) return;
    if (performance.now() > deadline)
      throw new SetupError(`Not ready after ${withinMs / 1_000} s. ${missing}. The lines above may say why.`);
    if (missing !== said) say(`Waiting. ${missing}`);
    said = missing;
    await sleep(500, undefined, { signal });
  }
}
