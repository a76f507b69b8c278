import type { LedgerEntry } from '../../local/joke-api/ledger.ts';

/** The ledger's calls by the task that made them, each in order. */
export function toCallsByTask(items: LedgerEntry[]): Map<string, LedgerEntry[]> {
  const calls = new Map<string, LedgerEntry[]>();
  for (const entry of items) {
    const id = entry.taskKey ?? '';
    calls.set(id, [...(calls.get(id) ?? []), entry]);
  }
  return calls;
}

/** From the end of each call to the start of the next, milliseconds; NaN where the earlier one has not ended. */
export const toGapsMs = (calls: Pick<LedgerEntry, 'startedAt' | 'endedAt'>[]): number[] =>
  calls.slice(1).map(({ startedAt }, index) => startedAt - (calls[index]?.endedAt ?? Number.NaN));

/**
 * By how much a gap may look shorter than the wait was: a busy joke API notes the end of an answer when its loop comes round to it, and the
 * caller had it before (14 ms seen on a loaded machine).
 */
export const earlyMs = 50;
