import type { Case } from '../join.ts';

/** What was found wrong with a task, batch, key or process. */
export type Finding = { id: string; text: string };

/** A statement about every run. `check` gives how many cases it looked at, and those that break it. */
export type Invariant = {
  name: string;
  title: string;
  check: (proof: Case) => { checked: number; findings: Finding[] };
};

/** Looks at each of `cases`; `judge` says what is wrong with it, or nothing. */
export function examine<T>(
  cases: Iterable<T>,
  toId: (one: T) => string,
  judge: (one: T) => string | undefined,
): { checked: number; findings: Finding[] } {
  const findings: Finding[] = [];
  let checked = 0;
  for (const one of cases) {
    checked += 1;
    const text = judge(one);
    if (text) findings.push({ id: toId(one), text });
  }
  return { checked, findings };
}
