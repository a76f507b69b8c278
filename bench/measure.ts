import { SetupError } from '../cli/setup-error.ts';
import { until } from '../cli/until.ts';
import type { Contender } from './contender.ts';
import { readResources } from './resources.ts';
import { toSpread } from './spread.ts';

/** The number of submissions open at once. */
const atOnce = 50;
/** The limits of the pause between two counts of completed tasks. */
const shortestPauseMs = 50;
const longestPauseMs = 1_000;
const silentMs = 60_000;
/** The limits of the number of tasks in each half of a round. */
const least = 200;
const most = 10_000;
/** The number of tasks that each round executes one after the other. */
const oneByOne = 20;

/** The number of tasks in each half of a contender's round, chosen so that all contenders take about the same time. */
export type Sizes = { submissions: number; completions: number };

/** The figures of one round. Rates are tasks per second. `executionMs` is the median of `executionLatenciesMs`. */
export type Round = {
  submissionRate: number;
  completionRate: number;
  submissionLatenciesMs: number[];
  executionLatenciesMs: number[];
  executionMs: number;
  cpuSecondsPer1000: number;
  memoryMiB: number;
};

/**
 * Waits until `wanted` tasks have completed. Counting costs the contender CPU, so the pauses between counts are up
 * to 1 s long. They shrink to 50 ms near the end. Until a task has completed, a pause is a quarter of the time so far,
 * because a fast contender may complete all tasks before its first count.
 * @throws {SetupError} when nothing completes for a minute.
 */
export async function untilCompleted({ name, completed }: Contender, wanted: number, signal: AbortSignal) {
  const startedAt = performance.now();
  const first = await completed();
  let known = first;
  let changedAt = startedAt;
  const everyMs = () => {
    const elapsedMs = performance.now() - startedAt;
    const pauseMs = known === first ? elapsedMs / 4 : (elapsedMs * (wanted - known)) / (known - first) / 3;
    return Math.min(longestPauseMs, Math.max(shortestPauseMs, pauseMs));
  };
  const isOver = async () => {
    const now = await completed();
    if (now > known) changedAt = performance.now();
    else if (performance.now() - changedAt > silentMs)
      throw new SetupError(
        `${name}: ${wanted - known} tasks are not completed, and none completed in the last minute.`,
      );
    known = now;
    return known >= wanted;
  };
  if (first < wanted) await until(isOver, { everyMs, signal });
}

/**
 * Measures one round of one contender. The first half measures submissions alone, with the worker paused. Then the
 * worker processes the backlog, if there is one. The second half measures completions, from the first submission until
 * the last task completes. Then some tasks are executed one after the other. The worker is paused again afterwards.
 */
export async function measureRound(contender: Contender, sizes: Sizes, signal: AbortSignal): Promise<Round> {
  await contender.pauseWorker();
  const before = await contender.completed();
  const alone = await contender.submit(sizes.submissions, atOnce);
  await contender.resumeWorker();
  if (!contender.leavesNoBacklog) await untilCompleted(contender, before + sizes.submissions, signal);

  const completedBefore = await contender.completed();
  const { cpuSeconds } = readResources(contender.pids());
  const startedAt = performance.now();
  await contender.submit(sizes.completions, atOnce);
  await untilCompleted(contender, completedBefore + sizes.completions, signal);
  const seconds = (performance.now() - startedAt) / 1_000;
  const after = readResources(contender.pids());
  const executionLatenciesMs = (await contender.execute?.(oneByOne)) ?? [];
  // A polling worker would take CPU from the next contender.
  await contender.pauseWorker();
  return {
    submissionRate: sizes.submissions / alone.seconds,
    completionRate: sizes.completions / seconds,
    submissionLatenciesMs: alone.latenciesMs,
    executionLatenciesMs,
    executionMs: toSpread(executionLatenciesMs).median,
    cpuSecondsPer1000: ((after.cpuSeconds - cpuSeconds) / sizes.completions) * 1_000,
    memoryMiB: after.memoryMiB,
  };
}

/** Returns how many tasks make each half of a round take about `seconds`, estimated from an earlier round. */
export function toSizes(
  { submissionRate, completionRate }: Round,
  { leavesNoBacklog }: Pick<Contender, 'leavesNoBacklog'>,
  seconds: number,
): Sizes {
  const toSize = (rate: number) => Math.round(Math.min(most, Math.max(least, rate * seconds)) / 100) * 100;
  const [submissions, completions] = [toSize(submissionRate), toSize(completionRate)];
  // The worker needs about `seconds` for `completions` tasks, so the first half must not leave more tasks than that.
  return { submissions: leavesNoBacklog ? submissions : Math.min(submissions, completions), completions };
}
