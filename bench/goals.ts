import type { Goal, Row } from './result.ts';
import { toSpread } from './result.ts';

type Figure = 'submissionRate' | 'completionRate';
type Ratio = { what: string; of: [name: string, figure: Figure]; to: string; atLeast: number };

const single = 'Holdfast, single tasks';
const batches = 'Holdfast, batches';
const bare = 'bare Temporal';
const origin = 'FastAPI + Procrastinate';

/** Holdfast's goals, as ratios within one run. */
const ratios: Ratio[] = [
  { what: `single submissions / ${bare}`, of: [single, 'submissionRate'], to: bare, atLeast: 0.95 },
  { what: `single completions / ${bare}`, of: [single, 'completionRate'], to: bare, atLeast: 1 },
  { what: `single completions / ${origin}`, of: [single, 'completionRate'], to: origin, atLeast: 2 },
  { what: `single submissions / ${origin}`, of: [single, 'submissionRate'], to: origin, atLeast: 3 },
  { what: 'batch completions / single', of: [batches, 'completionRate'], to: single, atLeast: 5 },
  ...['DBOS', 'pg-boss', 'graphile-worker'].map(
    (to): Ratio => ({
      what: `batch completions / ${to}`,
      of: [batches, 'completionRate'],
      to,
      atLeast: 1.2,
    }),
  ),
];

/** Compares a run with the goals. Each ratio is calculated round by round, so a disturbance affects both systems. */
export function toGoals(rows: Row[]): Goal[] {
  const find = (name: string) => rows.find((row) => row.name === name);
  return ratios.map(({ what, of: [name, figure], to, atLeast }) => {
    const goal = `≥ ${atLeast}`;
    const [ours, theirs] = [find(name), find(to)];
    if (!ours || !theirs) return { what, goal };
    const values = ours.rounds.map((round, index) => round[figure] / (theirs.rounds[index]?.[figure] ?? Number.NaN));
    const ratio = toSpread(values);
    return { what, goal, ratio, met: ratio.median >= atLeast };
  });
}
