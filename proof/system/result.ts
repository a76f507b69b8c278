import type { Percentiles } from '../../cli/measurement.ts';
import type { Outcome } from '../../local/joke-api/ledger.ts';
import type { Policy } from '../../src/policy.ts';
import type { Verdict } from '../checks/check.ts';

/** One submission: when it was sent, and how long until its answer. Every `…AtMs` counts from the start of the run. */
export type Submission = { check: string; atMs: number; latencyMs: number; status: number };

/** One call that a task made to the upstream, from the joke API's ledger; `endedAtMs` is null while it is open. */
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

/** Memory of one process after a garbage collection; `tasks` is how many it had served by then. */
export type MemorySample = {
  atMs: number;
  process: 'API' | 'worker';
  phase: 'before' | 'during' | 'after';
  tasks: number;
  rssBytes: number;
  heapUsedBytes: number;
};

/** What `--json` writes and `--report` draws: every figure of a run of `npm run stress:system`. */
export type StressResult = {
  command: string;
  startedAt: string;
  completedAt: string;
  interrupted: boolean;
  /** The configuration block as printed: words → value. */
  configuration: Record<string, string>;
  /** The policy that the tasks of the check `Retry Behavior Under Load` ran under. */
  policy: Policy;
  verdicts: Verdict[];
  totals: { passed: number; failed: number; notRun: number; total: number };
  /** Milliseconds from sending a submission to its answer, and from a task's submission to its end. */
  latency: { submission: Percentiles; completion: Percentiles };
  submissions: Submission[];
  tasks: FinishedTask[];
  memory: MemorySample[];
};
