import { toPercentiles } from '../../cli/measurement.ts';
import type { Verdict } from '../checks/check.ts';
import type { StressResult } from './result.ts';
import type { Target } from './target/target.ts';

type Run = {
  target: Pick<Target, 'policy' | 'record'>;
  command: string;
  configuration: Record<string, string>;
  suite: { startedAt: Date; completedAt: Date; verdicts: Verdict[] };
  interrupted: boolean;
};

/** Returns every figure of a run, as `--json` writes it. */
export function toResult({ target, command, configuration, suite, interrupted }: Run): StressResult {
  const { submissions, tasks, memory } = target.record;
  const count = (status: Verdict['status']) => suite.verdicts.filter((verdict) => verdict.status === status).length;
  return {
    command,
    startedAt: suite.startedAt.toISOString(),
    completedAt: suite.completedAt.toISOString(),
    interrupted,
    configuration,
    policy: target.policy,
    verdicts: suite.verdicts,
    totals: {
      passed: count('passed'),
      failed: count('failed'),
      notRun: count('not-run'),
      total: suite.verdicts.length,
    },
    latency: {
      submission: toPercentiles(submissions.map(({ latencyMs }) => latencyMs)),
      completion: toPercentiles(tasks.map(({ submittedAtMs, finishedAtMs }) => finishedAtMs - submittedAtMs)),
    },
    submissions,
    tasks,
    memory,
  };
}
