import { SetupError } from '../cli/setup-error.ts';
import { until } from '../cli/until.ts';
import type { Contender } from './contender.ts';
import { readResources } from './resources.ts';

/** Submissions open at once. */
const atOnce = 50;
/** Between two polls of what has completed. */
const shortestPauseMs = 50;
const longestPauseMs = 1_000;
const silentMs = 60_000;
/** Tasks in a round. */
const least = 200;
const most = 10_000;

/** How many tasks a round has for a contender: each takes about as long as another. */
export type Sizes = { submissions: number; completions: number };

/** What one round brought: rates a second, milliseconds, CPU seconds for 1,000 tasks. */
export type Round = {
  submissionRate: number;
  completionRate: number;
  submissionLatenciesMs: number[];
  cpuSecondsPer1000: number;
  memoryMiB: number;
};

/**
 * Polls more often the nearer the end is, judged by the rate so far: the contender pays for few polls, and the end is
 * seen within 50 ms.
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
 * One round of one contender: first submissions alone, with its worker off; then, with all of those done, submissions
 * and completions together, from the first call until the last task has completed. It leaves the worker off.
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
  // A worker that polls would take CPU from whoever comes next.
  await contender.pauseWorker();
  return {
    submissionRate: sizes.submissions / alone.seconds,
    completionRate: sizes.completions / seconds,
    submissionLatenciesMs: alone.latenciesMs,
    cpuSecondsPer1000: ((after.cpuSeconds - cpuSeconds) / sizes.completions) * 1_000,
    memoryMiB: after.memoryMiB,
  };
}

/**
 * The sizes with which a round of this contender takes `seconds` for each of its two parts, by what a smaller round
 * has shown.
 */
export function toSizes(
  { submissionRate, completionRate }: Round,
  { leavesNoBacklog }: Pick<Contender, 'leavesNoBacklog'>,
  seconds: number,
): Sizes {
  const toSize = (rate: number) => Math.round(Math.min(most, Math.max(least, rate * seconds)) / 100) * 100;
  const [submissions, completions] = [toSize(submissionRate), toSize(completionRate)];
  // What was submitted alone is worked off afterwards, which takes its time too.
  return { submissions: leavesNoBacklog ? submissions : Math.min(submissions, completions), completions };
}
