import type { LedgerEntry } from '../../../local/joke-api/ledger.ts';
import type { Evidence, Execution, FaultKind, FaultRecord, Operation, Seen } from '../types.ts';

/** A task or an item of a batch, with everything known about it. */
export type Work = {
  id: string;
  batchId?: string;
  /** What the last answered read showed. Undefined if no read was answered. */
  final?: Seen;
  /** The upstream calls, in the order of attempts. */
  calls: LedgerEntry[];
  /** When the cancellation of the task or of its batch was confirmed, in epoch milliseconds. */
  cancelledAt?: number;
};

/** An operation from its invocation to its end. */
export type Call = { invokedAt: number; end: Operation };

/** The evidence, with its three records joined: `operations`, `calls` and `executions`. */
export type Case = Evidence & {
  /** The accepted tasks and batches, by id. `at` is the time of the first acceptance, in epoch milliseconds. */
  accepted: Map<string, { key: string; isBatch: boolean; items: number; at: number }>;
  /** Every operation that ended, in the order in which they ended. */
  ended: Call[];
  works: Map<string, Work>;
  executionsById: Map<string, Execution[]>;
  callsByKey: Map<string, LedgerEntry[]>;
  /** The number of lost slices that had an item, by the item's id. */
  lostSlices: Map<string, number>;
  lastHealAt: number;
  /** Returns the first fault of these kinds (default: `disturbing`) that overlaps `from` to `to`, if any. */
  faultWithin: (from: number, to: number, kinds?: ReadonlySet<FaultKind>) => FaultRecord | undefined;
};

const kinds = (...names: FaultKind[]): ReadonlySet<FaultKind> => new Set(names);

/** The faults that can end an attempt, lose its answer or keep a worker from making the next attempt. */
export const disturbing = kinds(
  'kill-worker',
  'kill-temporal',
  'stop-worker',
  'stop-temporal',
  'deploy-worker',
  'upstream-hang',
  'upstream-slow',
  'delay-temporal',
  'delay-upstream',
  'cut-temporal',
  'cut-upstream',
  'drop-temporal',
  'drop-upstream',
);

/** The faults that cut a worker's connections to the upstream: at once, or when they end. */
export const cutting = kinds('cut-upstream', 'drop-upstream');

/** The faults that can put seconds between Temporal's dispatch of an attempt and the attempt's call of the upstream. */
export const postponing = kinds('stop-worker', 'stop-temporal', 'delay-temporal', 'delay-upstream', 'drop-temporal');

export function groupBy<T>(values: T[], toKey: (value: T) => string | null | undefined): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const key = toKey(value);
    if (key === null || key === undefined) continue;
    const group = groups.get(key);
    if (group) group.push(value);
    else groups.set(key, [value]);
  }
  return groups;
}

function toEnded(operations: Operation[]): Call[] {
  const invokedAt = new Map(operations.flatMap(({ op, type, at }) => (type === 'invoke' ? [[op, at] as const] : [])));
  return operations
    .filter(({ type }) => type !== 'invoke')
    .map((end) => ({ invokedAt: invokedAt.get(end.op) ?? end.at, end }))
    .sort((a, b) => a.end.at - b.end.at);
}

/** Returns how often a slice of each item was lost, by the id of the item. */
export function countLostSlices(executions: Execution[]): Case['lostSlices'] {
  const lost: Case['lostSlices'] = new Map();
  for (const { id, activities } of executions)
    for (const { end, items = [] } of activities)
      if (end === 'timed-out' || end === 'failed')
        for (const index of items) {
          const item = `${id.replace(/~\d+$/, '')}/${index}`;
          lost.set(item, (lost.get(item) ?? 0) + 1);
        }
  return lost;
}

/** The actions that start a task or batch. */
export const submits = ['submit', 'submit-batch', 'rerun'];
/** The actions whose answer shows an existing task or batch. */
export const reads = ['read', 'read-batch', 'cancel', 'cancel-batch'];

/** Joins the records. Never throws: the invariants report contradictions between the records. */
export function joinEvidence(evidence: Evidence): Case {
  const ended = toEnded(evidence.operations);
  const itemsOf = new Map(evidence.submissions.map(({ key, items }) => [key, items]));
  const accepted: Case['accepted'] = new Map();
  const final = new Map<string, Seen>();
  const cancelledAt = new Map<string, number>();
  for (const { end } of ended) {
    const { action, type, id, key, at, seen } = end;
    if (type !== 'ok' || id === undefined) continue;
    if (submits.includes(action) && key !== undefined && !accepted.has(id))
      accepted.set(id, { key, isBatch: action === 'submit-batch', items: itemsOf.get(key) ?? 1, at });
    if (seen && (action === 'read' || action === 'read-batch')) final.set(id, seen);
    if (action.startsWith('cancel') && !cancelledAt.has(id)) cancelledAt.set(id, at);
  }

  const callsByKey = groupBy(evidence.calls, ({ taskKey }) => taskKey);
  const works: Case['works'] = new Map();
  const add = (id: string, ofId: string, more: Partial<Work>) => {
    const at = cancelledAt.get(ofId);
    const calls = [...(callsByKey.get(id) ?? [])].sort((a, b) => (a.attempt ?? 0) - (b.attempt ?? 0) || a.seq - b.seq);
    works.set(id, { id, calls, ...(at !== undefined && { cancelledAt: at }), ...more });
  };
  for (const [id, { isBatch, items }] of accepted) {
    const seen = final.get(id);
    if (!isBatch) add(id, id, seen ? { final: seen } : {});
    for (let index = 0; isBatch && index < items; index += 1) {
      const item = seen?.items?.[index];
      add(`${id}/${index}`, id, { batchId: id, ...(item && { final: item }) });
    }
  }
  const faults = [...evidence.faults].sort((a, b) => a.startedAt - b.startedAt);
  return {
    ...evidence,
    accepted,
    ended,
    works,
    callsByKey,
    executionsById: groupBy(evidence.executions, ({ id }) => id),
    lostSlices: countLostSlices(evidence.executions),
    lastHealAt: faults.reduce((last, { endedAt }) => Math.max(last, endedAt), evidence.startedAt),
    faultWithin: (from, to, of = disturbing) =>
      faults.find(({ kind, startedAt, endedAt }) => of.has(kind) && startedAt <= to && endedAt >= from),
  };
}

export const isFinal = (state: string | undefined) => ['completed', 'failed', 'cancelled'].includes(state ?? '');
