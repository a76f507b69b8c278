import type { StressResult } from '../result.ts';
import { toBins, toRates, toSample } from './bins.ts';
import { toTimeline } from './to-timeline.ts';
import { toWaits } from './to-waits.ts';

/** Returns everything that the report shows. The scripts of the page only draw it. */
export function toData(result: StressResult) {
  const { policy, submissions, tasks, memory, ...run } = result;
  const completions = tasks.map(({ id, check, status, submittedAtMs, finishedAtMs }) => ({
    id,
    check,
    status,
    atMs: submittedAtMs,
    latencyMs: finishedAtMs - submittedAtMs,
  }));
  const accepted = submissions.filter(({ status }) => status === 202);
  const refused = submissions.filter(({ status }) => status !== 202);
  const count = (status: string) => tasks.filter((task) => task.status === status).length;
  return {
    run,
    counts: {
      submissions: submissions.length,
      accepted: accepted.length,
      tasks: tasks.length,
      completed: count('completed'),
      failed: count('failed'),
      cancelled: count('cancelled'),
    },
    throughput: toRates({
      submissions: submissions.map(({ atMs }) => atMs),
      completions: tasks.map(({ finishedAtMs }) => finishedAtMs),
    }),
    latency: { accepted: toSample(accepted), refused: toSample(refused), completions: toSample(completions) },
    distribution: {
      submission: toBins(submissions.map(({ latencyMs }) => latencyMs)),
      completion: toBins(completions.map(({ latencyMs }) => latencyMs)),
    },
    timeline: toTimeline(tasks),
    waits: toWaits(tasks, policy),
    memory,
  };
}

export type ReportData = ReturnType<typeof toData>;
