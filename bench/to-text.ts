import { type BenchResult, type Goal, type Row, toVerdict } from './result.ts';
import type { Spread } from './spread.ts';

const toNumber = (value: number, digits = 0) =>
  value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
const toSpread = ({ median, min, max }: Spread, digits = 0) =>
  `${toNumber(median, digits)} (${toNumber(min, digits)}–${toNumber(max, digits)})`;

/** Formats a Markdown table with aligned columns. */
function toTable(headings: string[], rows: string[][]): string {
  const widths = headings.map((heading, column) =>
    Math.max(...[heading, ...rows.map((row) => row[column] ?? '')].map((cell) => cell.length)),
  );
  const toLine = (cells: string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [toLine(headings), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rows.map(toLine)].join(
    '\n',
  );
}

const toRow = (row: Row) => [
  row.name,
  toSpread(row.submissionRate),
  toSpread(row.completionRate),
  `${row.submissionLatency.p50} / ${row.submissionLatency.p95} / ${row.submissionLatency.p99}`,
  row.executionLatency ? `${row.executionLatency.p50} / ${row.executionLatency.p95}` : '–',
  toSpread(row.cpuSecondsPer1000, 2),
  toNumber(row.memoryMiB.median),
];

const toGoal = ({ what, goal, measured, met }: Goal) => [
  what,
  goal,
  measured ? toSpread(measured, 2) : '',
  met === undefined ? 'skipped' : met ? 'met' : 'not met',
];

/** Returns the tables of a run in Markdown: figures, goals, and the slow upstream. */
export function toTables({ rows, slow, goals }: Pick<BenchResult, 'rows' | 'slow' | 'goals'>): string {
  const { met, judged } = toVerdict(goals);
  return [
    toTable(
      [
        ...['system', 'submissions/s', 'completions/s', 'submission p50 / p95 / p99, ms'],
        ...['one at a time, result p50 / p95, ms', 'CPU ms per task', 'MiB'],
      ],
      rows.map(toRow),
    ),
    toTable(['ratio', 'goal', 'measured', ''], goals.map(toGoal)),
    `Goals met: ${met} of ${judged}. Goals with two ratios need both.`,
    toTable(
      ['an upstream of 50 ms, 20 % of first calls fail', 'completions/s', 'CPU ms per task'],
      slow.map(({ name, completionRate, cpuSecondsPer1000 }) => [
        name,
        toNumber(completionRate),
        toNumber(cpuSecondsPer1000, 2),
      ]),
    ),
  ].join('\n\n');
}

/** Returns the short table of README: a column for each system. */
export function toShortTable({ rows, slow, goals }: Pick<BenchResult, 'rows' | 'slow' | 'goals'>): string {
  const { met, judged } = toVerdict(goals);
  const slowRate = (name: string) => slow.find((row) => row.name === name)?.completionRate ?? Number.NaN;
  return toTable(
    [`${met} of ${judged} goals met`, ...rows.map(({ name }) => name)],
    [
      ['tasks/s', ...rows.map(({ completionRate }) => toNumber(completionRate.median))],
      ['tasks/s, upstream of 50 ms that fails', ...rows.map(({ name }) => toNumber(slowRate(name)))],
      ['ms to the result, one at a time', ...rows.map(({ executionLatency }) => `${executionLatency?.p50 ?? '–'}`)],
      ['CPU ms per task', ...rows.map(({ cpuSecondsPer1000 }) => toNumber(cpuSecondsPer1000.median, 1))],
    ],
  );
}

/** Formats a run for a terminal: the tables, versions, and which systems were skipped and why. */
export function toText(result: Omit<BenchResult, 'startedAt' | 'seconds'>): string {
  const { rows, skipped, rounds, machine } = result;
  return [
    `Medians of ${rounds} rounds (lowest–highest) on ${machine}`,
    '',
    toTables(result),
    '',
    ...rows.map(({ name, versions, storage }) => `${name}: ${versions.join(', ')}; ${storage}`),
    ...skipped.map(({ name, reason }) => `SKIPPED: ${name}: ${reason}`),
  ].join('\n');
}
