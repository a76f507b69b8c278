import type { Percentiles } from '../../../cli/measurement.ts';
import type { FaultRecord } from '../types.ts';

/** One line of a task's timeline; `at` is in seconds since the start of the run. */
export type TimelineLine = { at: number; from: 'client' | 'upstream' | 'temporal' | 'fault'; text: string };

/** What broke an invariant, and the task's timeline from all three records. */
export type Violation = { id: string; text: string; story: TimelineLine[] };

export type InvariantResult = {
  /** For example `accepted-never-lost`. */
  name: string;
  /** What the invariant guarantees, in one sentence. */
  title: string;
  /** The number of cases examined. */
  checked: number;
  violated: number;
  /** What `violated` of `checked` means: `0 of 4,211: below 0.07 % at 95 % confidence`. */
  meaning: string;
  /** The first violations, at most five. */
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
  /** The figures of the run, in the order in which the report shows them: `{ 'verified kill -9': 74 }`. */
  figures: Record<string, number | string>;
  invariants: InvariantResult[];
  guards: Guard[];
  faults: (Pick<FaultRecord, 'number' | 'kind' | 'target' | 'verified' | 'seen'> & { from: number; to: number })[];
  /** Per second: tasks and items accepted, tasks and items ended, calls of the upstream. */
  throughput: { second: number; accepted: number; ended: number; calls: number }[];
  /**
   * For each call that died with a killed worker: milliseconds from the kill -9 to the next attempt, minus the longest
   * wait that the policy allows before that attempt.
   */
  recovery: { values: number[]; boundMs: number; percentiles: Percentiles };
};
