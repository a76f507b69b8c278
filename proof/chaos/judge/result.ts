import type { Percentiles } from '../../../cli/measurement.ts';
import type { FaultRecord } from '../types.ts';

/** One line of a task's timeline; `at` is in seconds since the start of the run. */
export type TimelineLine = { at: number; from: 'client' | 'upstream' | 'temporal' | 'fault'; text: string };

/** What broke an invariant, and the task's timeline from all three records. */
export type Violation = { id: string; text: string; story: TimelineLine[] };

export type InvariantResult = {
  /** `accepted-never-lost` */
  name: string;
  /** What it guarantees, in one sentence. */
  title: string;
  /** The number of cases examined. */
  checked: number;
  violated: number;
  /** What the number means: `0 of 4,211: below 0.07 % at 95 % confidence`. */
  meaning: string;
  /** The first few. */
  violations: Violation[];
};

/** A condition that must hold for a run to prove anything. */
export type Guard = { title: string; holds: boolean; detail: string };

/** The result of `npm run prove`, as in `prove.json` and the report. Times without a unit are seconds since start. */
export type ProveResult = {
  verdict: 'passed' | 'failed' | 'unknown';
  command: string;
  seed: number;
  machine: string;
  startedAt: string;
  seconds: number;
  /** Figures for the head of the report, in their order: `{ 'verified kills': 74 }`. */
  figures: Record<string, number | string>;
  invariants: InvariantResult[];
  guards: Guard[];
  faults: (Pick<FaultRecord, 'number' | 'kind' | 'target' | 'verified' | 'seen'> & { from: number; to: number })[];
  /** Per second: tasks and items accepted, tasks and items ended, calls of the upstream. */
  throughput: { second: number; accepted: number; ended: number; calls: number }[];
  /** Milliseconds from a worker's kill -9 to the next attempt of each call that died with it. */
  recovery: { values: number[]; boundMs: number; percentiles: Percentiles };
};
