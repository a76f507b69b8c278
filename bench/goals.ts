import { timeWaitCalculations } from '../cli/measurement.ts';
import type { Goal, Row } from './result.ts';
import { toSpread } from './spread.ts';

type Figure = 'submissionRate' | 'completionRate' | 'executionMs' | 'cpuSecondsPer1000';
/** The figure of one row, or with `to` the ratio to the same figure of another row. */
type Measure = { what: string; figure: Figure; row: string; to?: string; atLeast?: number; atMost?: number };

export const rowNames = {
  workflow: 'Holdfast, single tasks',
  activity: 'Holdfast, single tasks as activities',
  batch: 'Holdfast, batches',
  bareWorkflow: 'bare Temporal',
  bareActivity: 'bare Temporal, activities',
  stock: 'bare Temporal, stock server',
  origin: 'FastAPI + Procrastinate',
};
const { workflow, activity, batch, bareWorkflow, bareActivity, stock, origin } = rowNames;

const batchItems = (to: string, atLeast: number): Measure => ({
  what: `batch items/s / ${to}`,
  figure: 'completionRate',
  row: batch,
  to,
  atLeast,
});

/** Holdfast's goals, within one run. A goal is met if all its figures are within their limits. */
const goals: Record<string, Measure[]> = {
  'batches against DBOS and pg-boss': [batchItems('DBOS', 5), batchItems('pg-boss', 3)],
  'batches against graphile-worker and BullMQ': [batchItems('graphile-worker', 3), batchItems('BullMQ', 1)],
  'batches against single tasks': [{ ...batchItems(workflow, 20), what: 'batch items/s / single tasks/s' }],
  'activity engine against workflow engine': [
    { what: 'tasks/s, activities / workflows', figure: 'completionRate', row: activity, to: workflow, atLeast: 1.8 },
  ],
  'activity engine against the old stack': [
    { what: `tasks/s, activities / ${origin}`, figure: 'completionRate', row: activity, to: origin, atLeast: 1 },
  ],
  'workflow engine against bare Temporal': [
    { what: `tasks/s / ${bareWorkflow}`, figure: 'completionRate', row: workflow, to: bareWorkflow, atLeast: 0.95 },
  ],
  'submissions against bare Temporal': [
    {
      what: 'submissions/s / `workflow.start`',
      figure: 'submissionRate',
      row: workflow,
      to: bareWorkflow,
      atLeast: 0.85,
    },
    {
      what: 'submissions/s / `activity.start`',
      figure: 'submissionRate',
      row: activity,
      to: bareActivity,
      atLeast: 0.85,
    },
  ],
  'tuned server against a stock server': [
    { what: 'bare tasks/s, tuned / stock', figure: 'completionRate', row: bareWorkflow, to: stock, atLeast: 1.3 },
    { what: 'bare latency, tuned / stock', figure: 'executionMs', row: bareWorkflow, to: stock, atMost: 0.3 },
  ],
  'a waiting call against bare Temporal': [
    { what: 'latency, `?wait=` / `execute`', figure: 'executionMs', row: workflow, to: bareWorkflow, atMost: 1.3 },
  ],
  'CPU of a batch item': [{ what: 'CPU of a batch item, ms', figure: 'cpuSecondsPer1000', row: batch, atMost: 1 }],
};

/** Compares a run with the goals. Each ratio is calculated round by round, so a disturbance affects both systems. */
export const toGoals = (rows: Row[]): Goal[] =>
  Object.entries(goals).flatMap(([of, measures]) => measures.map((measure) => ({ of, ...toGoal(measure, rows) })));

function toGoal({ what, figure, row, to, atLeast, atMost }: Measure, rows: Row[]): Omit<Goal, 'of'> {
  const goal = atLeast === undefined ? `≤ ${atMost}` : `≥ ${atLeast}`;
  const [ours, theirs] = [row, to].map((name) => rows.find((each) => each.name === name)?.rounds);
  if (!ours || (to !== undefined && !theirs)) return { what, goal };
  const toValue = (index: number) =>
    (ours[index]?.[figure] ?? Number.NaN) / (theirs ? (theirs[index]?.[figure] ?? Number.NaN) : 1);
  const measured = toSpread(ours.map((_, index) => toValue(index)));
  const isMet = measured.median >= (atLeast ?? 0) && measured.median <= (atMost ?? Number.POSITIVE_INFINITY);
  return { what, goal, measured, met: isMet };
}

const calculations = 1_000_000;
const mostMicroseconds = 0.2;

/** Measures the time of one calculation of a wait in µs. It equals the time of a million calculations in seconds. */
export function measureCalculation(rounds: number): Goal {
  timeWaitCalculations(calculations);
  const measured = toSpread(Array.from({ length: rounds }, () => timeWaitCalculations(calculations).seconds));
  const what = 'a retry calculation, µs';
  return { of: what, what, goal: `< ${mostMicroseconds}`, measured, met: measured.median < mostMicroseconds };
}
