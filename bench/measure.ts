import { SetupError } from '../cli/setup-error.ts';
import { until } from '../cli/until.ts';
import type { Contender } from './contender.ts';
import { readResources } from './resources.ts';

/** The number of submissions open at once. */
const atOnce = 50;
/** The pause between two counts of completed tasks. */
const shortestPauseMs = 50;
const longestPauseMs = 1_000;
const silentMs = 60_000;
/** The number of tasks in a round. */
const least = 200;
const most = 10_000;

/** How many tasks a round has for a contender, so that all contenders take about the same time. */
export type Sizes = { submissions: number; completions: number };

/** The figures of one round: rates per second, milliseconds, CPU seconds for 1,000 tasks. */
export type Round = {
  submissionRate: number;
  completionRate: number;
  submissionLatenciesMs: number[];
  cpuSecondsPer1000: number;
  memoryMiB: number;
};

/**
 * Waits until `wanted` tasks have completed. It counts more often as the end comes near: counting costs the contender
 * CPU, and the end is still seen within 50 ms.
 * @throws {SetupError} when nothing completes for a minute.
 */
async function untilCompleted({ name, completed }: Contender, wanted: number, signal: AbortSignal) {
  const startedAt = performance.now();
  const first = await completed();
  let known = first;
  let changedAt = startedAt;
  const everyMs = () => {
    const leftMs = ((performance.now() - startedAt) * (wanted - known)) / Math.max(1, known - first);
    return Math.min(longestPauseMs, Math.max(shortestPauseMs, leftMs / 3));
  };
  const isOver = async () => {
    const now = await completed();
    if (now > known) changedAt = performance.now();
    else if (performance.now() - changedAt > silentMs)
      throw new SetupError(`${name}: ${wanted - known} tasks have not completed, and none did for a minute.`);
    known = now;
    return known >= wanted;
  };
  if (first < wanted) await until(isOver, { everyMs, signal });
}

/**
 * Measures one round of one contender: first submissions alone, with its worker off; once those are done, submissions
 * and completions together, from the first call until the last task has completed. The worker is off afterwards.
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
  // A polling worker would take CPU from the next contender.
  await contender.pauseWorker();
  return {
    submissionRate: sizes.submissions / alone.seconds,
    completionRate: sizes.completions / seconds,
    submissionLatenciesMs: alone.latenciesMs,
    cpuSecondsPer1000: ((after.cpuSeconds - cpuSeconds) / sizes.completions) * 1_000,
    memoryMiB: after.memoryMiB,
  };
}

/** Returns the sizes with which each half of a round takes about `seconds`, estimated from a smaller round. */
export function toSizes(
  { submissionRate, completionRate }: Round,
  { leavesNoBacklog }: Pick<Contender, 'leavesNoBacklog'>,
  seconds: number,
): Sizes {
  const toSize = (rate: number) => Math.round(Math.min(most, Math.max(least, rate * seconds)) / 100) * 100;
  const [submissions, completions] = [toSize(submissionRate), toSize(completionRate)];
  // The worker then processes the backlog of the first half, which takes time too.
  return { submissions: leavesNoBacklog ? submissions : Math.min(submissions, completions), completions };
}
