import type { LedgerEntry } from '../../local/joke-api/ledger.ts';
import type { Policy } from '../../src/policy.ts';

/** The processes that can be killed, stopped and redeployed. */
export type Role = 'worker' | 'api' | 'temporal';

/** The links that have a proxy: clients → API, API and workers → Temporal, workers → upstream. */
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
  /** A number in [0, 1) that selects the process or proxy to affect. For `delay-*`, it also sets the delay. */
  pick: number;
  durationMs: number;
  /** The time from the end of this fault to the start of the next. If the time is negative, the two faults overlap. */
  pauseMs: number;
};

/** A fault as it happened. Times are epoch milliseconds. `verified` says whether its effect was seen. */
export type FaultRecord = PlannedFault & {
  target: string;
  startedAt: number;
  endedAt: number;
  verified: boolean;
  /** What was seen: `pid 4711 is gone, port 7233 is closed`. */
  seen: string;
};

/**
 * The start or the end of a client's operation. `type` uses Jepsen's terms: `invoke` means that the operation was
 * sent, `ok` that it was done, `fail` that it was certainly not done, `info` that its outcome is unknown.
 */
export type Operation = {
  /** The number of the operation. An invocation and its end have the same number. */
  op: number;
  at: number;
  type: 'invoke' | 'ok' | 'fail' | 'info';
  action: 'submit' | 'conflict' | 'read' | 'cancel' | 'rerun' | 'submit-batch' | 'read-batch' | 'cancel-batch';
  /** The idempotency key of a submission. */
  key?: string;
  /** The id of the task or batch. */
  id?: string;
  status?: number;
  isReplay?: boolean;
  /** What the answer showed of the task or batch. */
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
  /** Present only for a batch. */
  counts?: { total: number; completed: number; failed: number; cancelled: number; running: number };
  items?: Seen[];
};

/** What a history says about an activity: its last attempt and its end. */
export type ActivityFact = {
  id: string;
  attempt: number;
  end: 'completed' | 'failed' | 'timed-out' | 'cancelled' | 'open';
  /** The indexes of its items, if the activity is a slice of a batch. */
  items?: number[];
};

/** What Temporal's history says about a workflow, or its description about a standalone activity. */
export type Execution = {
  id: string;
  runId: string;
  type: string;
  status: string;
  isStandalone?: true;
  /** Set for a standalone activity whose cancellation was requested. No attempt follows after that. */
  isCancelRequested?: true;
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
  /** The planned submissions, each with its number of items. A single task counts as one item. */
  submissions: { key: string; isBatch: boolean; items: number }[];
  policy: Policy;
  planned: PlannedFault[];
  faults: FaultRecord[];
  operations: Operation[];
  calls: LedgerEntry[];
  executions: Execution[];
  logs: { lines: number; findings: LogFinding[] };
  /** One text for each time that a process ended by itself. */
  deaths: string[];
};
