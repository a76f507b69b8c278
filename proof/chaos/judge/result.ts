import type { Percentiles } from '../../../cli/measurement.ts';
import type { FaultRecord } from '../types.ts';

/** One line of a task's joined story; `at` is in seconds since the run's start. */
export type StoryLine = { at: number; from: 'client' | 'upstream' | 'temporal' | 'fault'; text: string };

/** What broke an invariant, and the task's story out of all three records. */
export type Violation = { id: string; text: string; story: StoryLine[] };

export type InvariantResult = {
  /** `accepted-never-lost` */
  name: string;
  /** What it guarantees, a sentence. */
  title: string;
  /** How many cases were looked at. */
  checked: number;
  violated: number;
  /** What the number means: `0 of 4,211: below 0.07 % at 95 % confidence`. */
  meaning: string;
  /** The first few. */
  violations: Violation[];
};

/** A condition without which a run proves nothing. */
export type Guard = { title: string; holds: boolean; detail: string };

/** A run of `npm run prove`: what `prove.json` holds and the report draws. Times without a unit are seconds since the start. */
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
  /** By whole seconds: tasks (and items) accepted, ended, and calls that the upstream got. */
  throughput: { second: number; accepted: number; ended: number; calls: number }[];
  /** From a worker's kill -9 to the next attempt of each call that died with it, milliseconds. */
  recovery: { values: number[]; boundMs: number; percentiles: Percentiles };
};
