import { nowMs } from '../../cli/measurement.ts';

/**
 * How a request ended. `open`: it has not ended yet. `answered`: we sent the whole answer. `cut-short`: we closed the
 * connection before the promised length. `reset`: we reset the connection. `hung`: we sent nothing more until the
 * client left. `client-gone` or `closed`: the client left, or the joke API ended, before the answer was complete.
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
  /** The status that was sent, or null if none was sent. */
  status: number | null;
  /** The id of the joke in the answer, or null. Set only when the whole answer was sent. */
  jokeId: string | null;
  outcome: Outcome;
};

export type LedgerFilter = { taskKey?: string | undefined; category?: string | undefined; after?: number | undefined };

/** When something started and ended, in epoch milliseconds. `endedAt` is null until it ends. */
export type Span = Pick<LedgerEntry, 'startedAt' | 'endedAt'>;

/** Returns the milliseconds from each span's end to the next one's start, or NaN if the earlier span has not ended. */
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

const unanswered = { endedAt: null, status: null, jokeId: null, outcome: 'open' } as const;

/** Creates an append-only list of requests. The list is never trimmed, so its memory grows with every request. */
export function createLedger() {
  const entries: LedgerEntry[] = [];
  return {
    /** Adds a request that arrives now. Returns the entry itself, so that the caller can set its `status`. */
    open(request: Pick<LedgerEntry, 'taskKey' | 'attempt' | 'category' | 'method' | 'path'>): LedgerEntry {
      const entry: LedgerEntry = { seq: entries.length + 1, ...request, startedAt: nowMs(), ...unanswered };
      entries.push(entry);
      return entry;
    },
    /** Records how a request ended. Further calls for the same entry change nothing. */
    end(entry: LedgerEntry, outcome: Outcome, jokeId: string | null = null) {
      if (entry.endedAt === null) Object.assign(entry, { endedAt: nowMs(), jokeId, outcome });
    },
    /**
     * Returns copies of the entries whose `seq` is above `after`, oldest first. `inFlight` and `maxInFlight` also
     * count the entries up to `after`.
     */
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
