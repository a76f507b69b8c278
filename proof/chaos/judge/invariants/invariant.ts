import type { LedgerEntry } from '../../../../local/joke-api/ledger.ts';
import type { Case } from '../join.ts';

/** Tolerance for the clocks of two processes and for timers that round. */
export const toleranceMs = 50;
/** A fault can affect an attempt that began or ended up to this long before the fault. */
export const reachMs = 2_500;
/**
 * How long a fault has effects after it is healed: clients must reconnect, and a dead worker's workflow task times out
 * only after 5 s.
 */
export const aftermathMs = 6_000;

/** Returns the end of a call or, if the call is still open, its start. Both are epoch milliseconds. */
export const endOf = ({ startedAt, endedAt }: Pick<LedgerEntry, 'startedAt' | 'endedAt'>) => endedAt ?? startedAt;

/** A violation. `id` names a task, a batch, a key, a process or a log. */
export type Finding = { id: string; text: string };

/** A statement that must hold for every run. `check` returns how many cases it examined, and the violations. */
export type Invariant = {
  name: string;
  title: string;
  check: (proof: Case) => { checked: number; findings: Finding[] };
};

type Examined = ReturnType<Invariant['check']>;

/** Examines each of `cases`. `judge` returns what is wrong with a case, or undefined. */
export function examine<T>(
  cases: Iterable<readonly [id: string, one: T]>,
  judge: (one: T, id: string) => string | undefined,
): Examined {
  const findings: Finding[] = [];
  let checked = 0;
  for (const [id, one] of cases) {
    checked += 1;
    const text = judge(one, id);
    if (text) findings.push({ id, text });
  }
  return { checked, findings };
}

/** Returns the values with their ids, as cases for `examine`. */
export const toCases = <T extends { id: string }>(values: T[]) => values.map((value) => [value.id, value] as const);

/** Combines the results of an invariant that examines two kinds of cases. */
export const combine = (one: Examined, other: Examined): Examined => ({
  checked: one.checked + other.checked,
  findings: [...one.findings, ...other.findings],
});
