import { nowMs } from '../../cli/measurement.ts';

/**
 * How a request ended. `answered`: all bytes were sent. `cut-short`: closed before the promised length. `reset`: we reset
 * the connection. `hung`: we hung until the client left. `client-gone`: the client left first. `closed`: the API ended.
 */
export type Outcome = 'open' | 'answered' | 'cut-short' | 'reset' | 'hung' | 'client-gone' | 'closed';

/** One request to `/jokes/*`. Times are epoch milliseconds with decimals from a clock that never goes back. */
export type LedgerEntry = {
  seq: number;
  taskKey: string | null;
  attempt: number | null;
  category: string | null;
  method: string;
  path: string;
  startedAt: number;
  endedAt: number | null;
  /** The status that was sent, or null. */
  status: number | null;
  /** The joke whose answer was sent completely, or null. */
  jokeId: string | null;
  outcome: Outcome;
};

export type LedgerFilter = { taskKey?: string | undefined; category?: string | undefined; after?: number | undefined };

/** When something started and ended, in milliseconds since 1970. `endedAt` is null while it is open. */
export type Span = Pick<LedgerEntry, 'startedAt' | 'endedAt'>;

/** Returns the milliseconds from the end of each span to the start of the next; NaN if the earlier span is still open. */
export const toGapsMs = (spans: Span[]): number[] =>
  spans.slice(1).map(({ startedAt }, index) => startedAt - (spans[index]?.endedAt ?? Number.NaN));

/** Returns the largest number of spans that were open at the same time. */
export function toMaxInFlight(spans: Span[]): number {
  const steps = spans.flatMap(({ startedAt, endedAt }) => [
    { at: startedAt, by: 1 },
    ...(endedAt === null ? [] : [{ at: endedAt, by: -1 }]),
  ]);
  let inFlight = 0;
  let max = 0;
  for (const { by } of steps.sort((a, b) => a.at - b.at || a.by - b.by)) {
    inFlight += by;
    max = Math.max(max, inFlight);
  }
  return max;
}

/** Creates an append-only list of requests. It is never trimmed, so memory grows with every request. */
export function createLedger() {
  const entries: LedgerEntry[] = [];
  return {
    open(request: Pick<LedgerEntry, 'taskKey' | 'attempt' | 'category' | 'method' | 'path'>): LedgerEntry {
      const entry: LedgerEntry = {
        seq: entries.length + 1,
        ...request,
        startedAt: nowMs(),
        endedAt: null,
        status: null,
        jokeId: null,
        outcome: 'open',
      };
      entries.push(entry);
      return entry;
    },
    /** Records how a request ended. Only the first call for an entry counts. */
    end(entry: LedgerEntry, outcome: Outcome, jokeId: string | null = null) {
      if (entry.endedAt === null) Object.assign(entry, { endedAt: nowMs(), jokeId, outcome });
    },
    /** Returns copies, oldest first. `inFlight` and `maxInFlight` also count the entries that `after` leaves out. */
    read({ taskKey, category, after = 0 }: LedgerFilter = {}) {
      const matching = entries.filter(
        (entry) =>
          (taskKey === undefined || entry.taskKey === taskKey) &&
          (category === undefined || entry.category === category),
      );
      return {
        items: matching.filter(({ seq }) => seq > after).map((entry) => ({ ...entry })),
        inFlight: matching.filter(({ endedAt }) => endedAt === null).length,
        maxInFlight: toMaxInFlight(matching),
      };
    },
  };
}

export type Ledger = ReturnType<typeof createLedger>;
