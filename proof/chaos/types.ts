import type { LedgerEntry } from '../../local/joke-api/ledger.ts';
import type { Policy } from '../../src/policy.ts';

/** The parts that can be killed, stopped and deployed anew. */
export type Role = 'worker' | 'api' | 'temporal';

/** The connections that go through a proxy: from the clients to the API, from API and workers to Temporal, from the workers to the upstream. */
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

/** A fault as the seed plans it. Durations in milliseconds. */
export type PlannedFault = {
  number: number;
  kind: FaultKind;
  /** In [0, 1): which of the processes of that role. */
  pick: number;
  durationMs: number;
  /** From the end of this fault to the next one; negative where the two overlap. */
  pauseMs: number;
};

/** A fault as it was. Times are epoch milliseconds; it counts only if its effect was seen. */
export type FaultRecord = PlannedFault & {
  target: string;
  startedAt: number;
  endedAt: number;
  verified: boolean;
  /** What was seen: `pid 4711 is gone, port 7233 is closed`. */
  seen: string;
};

/**
 * One side of an operation of a client, in Jepsen's words: `invoke` it was sent, `ok` it was done, `fail` it certainly was not done,
 * `info` nobody knows.
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

/** A task, an item of a batch (id `{batchId}/{index}`) or a batch as one answer shows it. */
export type Seen = {
  id: string;
  state: string;
  attempt: number;
  output?: string;
  reason?: string;
  failureType?: string;
  finishedAt?: string;
  rerunOf?: string;
  /** Of a batch. */
  counts?: { total: number; completed: number; failed: number; cancelled: number; running: number };
  items?: Seen[];
};

/** What a history says of an activity: its last attempt, and how it ended. */
export type ActivityFact = {
  id: string;
  attempt: number;
  end: 'completed' | 'failed' | 'timed-out' | 'cancelled' | 'open';
};

/** What Temporal's history says of a workflow. */
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

/** All that the verdict rests on. */
export type Evidence = {
  seed: number;
  /** Epoch milliseconds. */
  startedAt: number;
  /** The keys of all submissions that were to be made, with how many items each has; a single task has one. */
  stories: { key: string; isBatch: boolean; items: number }[];
  policy: Policy;
  planned: PlannedFault[];
  faults: FaultRecord[];
  operations: Operation[];
  calls: LedgerEntry[];
  executions: Execution[];
  logs: { lines: number; findings: LogFinding[] };
  /** Processes that ended although nobody had ended them. */
  deaths: string[];
};
