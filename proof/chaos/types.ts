import type { LedgerEntry } from '../../local/joke-api/ledger.ts';
import type { Policy } from '../../src/policy.ts';

/** The processes that can be killed, stopped and redeployed. */
export type Role = 'worker' | 'api' | 'temporal';

/** The links through a proxy: clients to API, API and workers to Temporal, workers to upstream. */
export type Link = 'clients' | 'temporal' | 'upstream';

export const faultKinds = [
  'kill-worker',
  'kill-api',
  'kill-temporal',
  'stop-worker',
  'stop-api',
  'stop-temporal',
  'deploy-worker',
  'deploy-api',
  'upstream-5xx',
  'upstream-429',
  'upstream-hang',
  'upstream-reset',
  'upstream-slow',
  'delay-clients',
  'delay-temporal',
  'delay-upstream',
  'cut-clients',
  'cut-temporal',
  'cut-upstream',
  'drop-clients',
  'drop-temporal',
  'drop-upstream',
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** A fault as the seed plans it. */
export type PlannedFault = {
  number: number;
  kind: FaultKind;
  /** Chooses the process of that role; in [0, 1). */
  pick: number;
  durationMs: number;
  /** From the end of this fault to the next one; negative if the two overlap. */
  pauseMs: number;
};

/** A fault as it happened. Times are epoch milliseconds. It counts only if its effect was seen. */
export type FaultRecord = PlannedFault & {
  target: string;
  startedAt: number;
  endedAt: number;
  verified: boolean;
  /** What was seen: `pid 4711 is gone, port 7233 is closed`. */
  seen: string;
};

/**
 * One side of a client's operation, in Jepsen's terms: `invoke` it was sent, `ok` it was done, `fail` it was certainly
 * not done, `info` its outcome is unknown.
 */
export type Operation = {
  /** The same for an invocation and its end. */
  op: number;
  at: number;
  type: 'invoke' | 'ok' | 'fail' | 'info';
  action: 'submit' | 'conflict' | 'read' | 'cancel' | 'rerun' | 'submit-batch' | 'read-batch' | 'cancel-batch';
  /** The idempotency key of a submission. */
  key?: string;
  /** The task or batch. */
  id?: string;
  status?: number;
  isReplay?: boolean;
  /** What was read of it. */
  seen?: Seen;
  error?: string;
};

/** A task, an item of a batch (id `{batchId}/{index}`) or a batch, as one answer showed it. */
export type Seen = {
  id: string;
  state: string;
  attempt: number;
  output?: string;
  reason?: string;
  failureType?: string;
  finishedAt?: string;
  rerunOf?: string;
  /** For a batch. */
  counts?: { total: number; completed: number; failed: number; cancelled: number; running: number };
  items?: Seen[];
};

/** What a history says about an activity: its last attempt and its end. */
export type ActivityFact = {
  id: string;
  attempt: number;
  end: 'completed' | 'failed' | 'timed-out' | 'cancelled' | 'open';
};

/** What Temporal's history says about a workflow. */
export type Execution = {
  id: string;
  runId: string;
  type: string;
  status: string;
  events: number;
  startedAt: number;
  closedAt?: number;
  activities: ActivityFact[];
  cancelRequestedAt?: number;
};

export type LogFinding = { file: string; line: string };

/** Everything that the verdict is based on. */
export type Evidence = {
  seed: number;
  /** Epoch milliseconds. */
  startedAt: number;
  /** The planned submissions with their number of items; a single task has one. */
  submissions: { key: string; isBatch: boolean; items: number }[];
  policy: Policy;
  planned: PlannedFault[];
  faults: FaultRecord[];
  operations: Operation[];
  calls: LedgerEntry[];
  executions: Execution[];
  logs: { lines: number; findings: LogFinding[] };
  /** Processes that ended by themselves. */
  deaths: string[];
};
