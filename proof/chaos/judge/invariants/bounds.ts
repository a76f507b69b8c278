import type { LedgerEntry } from '../../../../local/joke-api/ledger.ts';

/** Clocks of two processes, and timers that round. */
export const toleranceMs = 50;
/** An attempt that was begun so long before a fault, or ended so long before it, can have been hit by it. */
export const reachMs = 2_500;
/** How long after the heal a fault is still felt: connections come back, a workflow task of a dead worker times out after 5 s. */
export const aftermathMs = 6_000;

export const endOf = ({ startedAt, endedAt }: Pick<LedgerEntry, 'startedAt' | 'endedAt'>) => endedAt ?? startedAt;
