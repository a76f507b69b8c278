import type { createProgress, Say } from '../cli/progress.ts';
import { createTemporaryDirectory } from '../cli/temporary-directory.ts';
import { startJokeApi } from '../local/joke-api/create-joke-api.ts';
import type { Contender } from './contender.ts';
import type { Entry } from './contenders.ts';
import { measureCalculation, toGoals } from './goals.ts';
import { measureRound, type Round, type Sizes, toSizes } from './measure.ts';
import { type BenchResult, toRow } from './result.ts';
import { measureSlowUpstream, type SlowRow } from './slow-upstream.ts';

type Options = {
  entries: Entry[];
  rounds: number;
  /** The approximate duration of each half of a round. */
  seconds: number;
  machine: string;
  say: Say;
  progress: ReturnType<typeof createProgress>;
  signal: AbortSignal;
};

/** With the slow upstream, ten slots complete at most about 170 tasks a second. */
const slowTasksPerSecond = 200;
/**
 * The rounds before the measured ones. Each determines the sizes of the next one. A second one is needed because 200
 * items of a batch say little: they are over before the batch has its full rate.
 */
const warmUps = 2;
/** The sizes of the first round. */
const firstSizes: Sizes = { submissions: 200, completions: 200 };

/**
 * Starts all contenders, measures them round by round, and stops them at the end. Each round begins with a
 * different contender.
 */
export async function runBench({
  entries,
  rounds,
  seconds,
  machine,
  say,
  progress,
  signal,
}: Options): Promise<BenchResult> {
  const startedAt = new Date();
  const { path: directory, remove } = createTemporaryDirectory('holdfast-bench-');
  const jokes = await startJokeApi();
  const contenders: Contender[] = [];
  const skipped: BenchResult['skipped'] = [];
  try {
    for (const { name, start } of entries) {
      signal.throwIfAborted();
      say(`Starting ${name}`);
      const started = await start({ upstreamUrl: jokes.url, directory, say, signal });
      if ('skipped' in started) {
        skipped.push({ name, reason: started.skipped });
        say(`SKIPPED: ${name}: ${started.skipped}`);
      } else contenders.push(...started);
    }
    const measured = new Map<Contender, Round[]>();
    const sizes = new Map<Contender, Sizes>();
    for (let turn = 0; turn < warmUps + rounds; turn += 1) {
      const isWarmUp = turn < warmUps;
      const title = isWarmUp ? 'Warming up' : `Round ${turn - warmUps + 1} of ${rounds}`;
      for (const contender of rotate(contenders, turn)) {
        progress.update(`${title}: ${contender.name}`);
        const one = await measureRound(contender, sizes.get(contender) ?? firstSizes, signal);
        if (isWarmUp) sizes.set(contender, toSizes(one, contender, seconds));
        else measured.set(contender, [...(measured.get(contender) ?? []), one]);
      }
    }
    const slow: SlowRow[] = [];
    for (const contender of contenders) {
      progress.update(`Slow upstream: ${contender.name}`);
      slow.push(await measureSlowUpstream(contender, jokes, Math.round(slowTasksPerSecond * seconds), signal));
    }
    progress.end();
    const rows = contenders.map((contender) => toRow(contender, measured.get(contender) ?? []));
    return {
      startedAt: startedAt.toISOString(),
      seconds: (Date.now() - startedAt.getTime()) / 1_000,
      machine,
      rounds,
      rows,
      slow,
      skipped,
      goals: [...toGoals(rows), measureCalculation(rounds)],
    };
  } finally {
    progress.end();
    await Promise.allSettled(contenders.map((contender) => contender.stop()));
    await jokes.close();
    remove();
  }
}

const rotate = <T>(list: T[], by: number): T[] => list.map((_, index) => list[(index + by) % list.length] as T);
