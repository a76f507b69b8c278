import type { startJokeApi } from '../local/joke-api/create-joke-api.ts';
import type { Contender } from './contender.ts';
import { untilCompleted } from './measure.ts';
import { readResources } from './resources.ts';

/** Each answer takes 50 ms. Of the first calls, as many as there are tasks, every fifth fails. */
const delayMs = 50;
const failedShare = 0.2;
const observedEveryMs = 20;
/** The number of submissions open at once. */
const atOnce = 50;

/** The result of one contender with the slow upstream. */
export type SlowRow = { name: string; completionRate: number; cpuSecondsPer1000: number };

/**
 * Measures how one contender completes `count` tasks if the upstream is slow and some calls fail. The rate includes the
 * waits before second attempts. Only as many calls as there are tasks can fail, so no task fails for good.
 */
export async function measureSlowUpstream(
  contender: Contender,
  { rules }: Pick<Awaited<ReturnType<typeof startJokeApi>>, 'rules'>,
  count: number,
  signal: AbortSignal,
): Promise<SlowRow> {
  await contender.resumeWorker();
  const before = await contender.completed();
  const { cpuSeconds } = readResources(contender.pids());
  rules.add({ then: [{ delayMs }], repeat: true });
  const failing = rules.add({ ratio: failedShare, then: [{ delayMs, status: 503 }], repeat: true });
  const countCalls = () => rules.list().reduce((sum, { applied }) => sum + applied, 0);
  const observing = setInterval(() => countCalls() >= count && rules.remove(failing), observedEveryMs);
  const startedAt = performance.now();
  try {
    await contender.submit(count, atOnce);
    await untilCompleted(contender, before + count, signal);
  } finally {
    clearInterval(observing);
    rules.clear();
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  const after = readResources(contender.pids());
  await contender.pauseWorker();
  return {
    name: contender.name,
    completionRate: count / seconds,
    cpuSecondsPer1000: ((after.cpuSeconds - cpuSeconds) / count) * 1_000,
  };
}
