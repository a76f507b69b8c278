import { type Percentiles, toPercentiles } from '../cli/measurement.ts';
import type { Round } from './measure.ts';

/** The median, minimum and maximum of a figure over the rounds. */
export type Spread = { median: number; min: number; max: number };

/** The results of one contender, in the units of `Round`. `submissionLatency` covers all rounds. */
export type Row = {
  name: string;
  versions: string[];
  storage: string;
  rounds: Omit<Round, 'submissionLatenciesMs'>[];
  submissionRate: Spread;
  completionRate: Spread;
  cpuSecondsPer1000: Spread;
  memoryMiB: Spread;
  submissionLatency: Percentiles;
};

/** A goal. `ratio` is the measured figure, usually a ratio of two systems. It is undefined if either is missing. */
export type Goal = { what: string; goal: string; ratio?: Spread; met?: boolean };

export type BenchResult = {
  startedAt: string;
  seconds: number;
  machine: string;
  rounds: number;
  rows: Row[];
  skipped: { name: string; reason: string }[];
  goals: Goal[];
};

/** Returns the spread of `values`. Its figures are NaN if there are no values. */
export function toSpread(values: number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const at = (index: number) => sorted[index] ?? Number.NaN;
  return { median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2, min: at(0), max: at(sorted.length - 1) };
}

/** Summarizes the rounds of one contender. */
export function toRow({ name, versions, storage }: Pick<Row, 'name' | 'versions' | 'storage'>, rounds: Round[]): Row {
  const spread = (figure: Exclude<keyof Round, 'submissionLatenciesMs'>) =>
    toSpread(rounds.map((round) => round[figure]));
  return {
    name,
    versions,
    storage,
    rounds: rounds.map(({ submissionLatenciesMs: _, ...figures }) => figures),
    submissionRate: spread('submissionRate'),
    completionRate: spread('completionRate'),
    cpuSecondsPer1000: spread('cpuSecondsPer1000'),
    memoryMiB: spread('memoryMiB'),
    submissionLatency: toPercentiles(rounds.flatMap(({ submissionLatenciesMs }) => submissionLatenciesMs)),
  };
}
