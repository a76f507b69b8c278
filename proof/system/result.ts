import type { Percentiles } from '../../cli/measurement.ts';
import type { Outcome } from '../../local/joke-api/ledger.ts';
import type { Policy } from '../../src/policy.ts';
import type { Verdict } from '../checks/check.ts';

/**
 * One submission: when it was sent, its latency, and its HTTP status (0 if no answer came). In this file, `atMs` and
 * every `…AtMs` are milliseconds since the start of the run.
 */
export type Submission = { check: string; atMs: number; latencyMs: number; status: number };

/** One upstream call of a task, from the joke API's ledger. `endedAtMs` is null if the call is still open. */
export type Attempt = {
  attempt: number;
  startedAtMs: number;
  endedAtMs: number | null;
  status: number | null;
  outcome: Outcome;
};

export type FinishedTask = {
  id: string;
  check: string;
  status: 'completed' | 'failed' | 'cancelled';
  submittedAtMs: number;
  finishedAtMs: number;
  attempts: Attempt[];
};

/**
 * Memory of one process after a garbage collection. `tasks` is the number of tasks that the memory check had run before
 * this sample.
 */
export type MemorySample = {
  atMs: number;
  process: 'API' | 'worker';
  phase: 'before' | 'during' | 'after';
  tasks: number;
  rssBytes: number;
  heapUsedBytes: number;
};

/** All figures of a run of `npm run stress:system`. `--json` writes them, and `--report` draws them. */
export type StressResult = {
  command: string;
  startedAt: string;
  completedAt: string;
  interrupted: boolean;
  /** The configuration block as printed: name → value. */
  configuration: Record<string, string>;
  /** The policy of the tasks of the check `Retry Behavior Under Load`. */
  policy: Policy;
  verdicts: Verdict[];
  totals: { passed: number; failed: number; notRun: number; total: number };
  /** In milliseconds: from sending a submission to its answer, and from a task's submission to its end. */
  latency: { submission: Percentiles; completion: Percentiles };
  submissions: Submission[];
  tasks: FinishedTask[];
  memory: MemorySample[];
};
