import { type Percentiles, toPercentiles } from '../cli/measurement.ts';
import type { Round } from './measure.ts';
import type { SlowRow } from './slow-upstream.ts';
import { type Spread, toSpread } from './spread.ts';

type Figures = Omit<Round, 'submissionLatenciesMs' | 'executionLatenciesMs'>;

/**
 * The results of one contender, in the units of `Round`. The latencies cover all rounds. `executionMs` and
 * `executionLatency` are missing for batches.
 */
export type Row = {
  name: string;
  versions: string[];
  storage: string;
  rounds: Figures[];
  submissionRate: Spread;
  completionRate: Spread;
  executionMs?: Spread;
  cpuSecondsPer1000: Spread;
  memoryMiB: Spread;
  submissionLatency: Percentiles;
  executionLatency?: Percentiles;
};

/**
 * One measured figure beside its limit, usually a ratio of two systems. `of` is the goal that it belongs to. A goal is
 * met if all its figures are within their limits. `measured` is undefined if a system did not run.
 */
export type Goal = { of: string; what: string; goal: string; measured?: Spread; met?: boolean };

export type BenchResult = {
  startedAt: string;
  seconds: number;
  machine: string;
  rounds: number;
  rows: Row[];
  /** What users see: the upstream is slow, and some of its answers are failures. */
  slow: SlowRow[];
  skipped: { name: string; reason: string }[];
  goals: Goal[];
};

/** Summarizes the rounds of one contender. */
export function toRow({ name, versions, storage }: Pick<Row, 'name' | 'versions' | 'storage'>, rounds: Round[]): Row {
  const spread = (figure: keyof Figures) => toSpread(rounds.map((round) => round[figure]));
  const executionLatenciesMs = rounds.flatMap((round) => round.executionLatenciesMs);
  return {
    name,
    versions,
    storage,
    rounds: rounds.map(({ submissionLatenciesMs: _, executionLatenciesMs: __, ...figures }) => figures),
    submissionRate: spread('submissionRate'),
    completionRate: spread('completionRate'),
    ...(executionLatenciesMs.length > 0 && {
      executionMs: spread('executionMs'),
      executionLatency: toPercentiles(executionLatenciesMs),
    }),
    cpuSecondsPer1000: spread('cpuSecondsPer1000'),
    memoryMiB: spread('memoryMiB'),
    submissionLatency: toPercentiles(rounds.flatMap(({ submissionLatenciesMs }) => submissionLatenciesMs)),
  };
}

/** Returns how many goals have figures, and how many of these goals are met. */
export function toVerdict(goals: Goal[]): { met: number; judged: number } {
  const byGoal = [...new Set(goals.map(({ of }) => of))].map((name) => goals.filter(({ of }) => of === name));
  const judged = byGoal.filter((figures) => figures.every(({ met }) => met !== undefined));
  return { judged: judged.length, met: judged.filter((figures) => figures.every(({ met }) => met)).length };
}
