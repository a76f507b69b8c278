import type { BenchResult, Goal, Row, Spread } from './result.ts';

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

const toRow = ({ name, submissionRate, completionRate, submissionLatency, cpuSecondsPer1000, memoryMiB }: Row) => [
  name,
  toSpread(submissionRate),
  toSpread(completionRate),
  `${submissionLatency.p50} / ${submissionLatency.p95} / ${submissionLatency.p99}`,
  toSpread(cpuSecondsPer1000, 2),
  toNumber(memoryMiB.median),
];

const toGoal = ({ what, goal, ratio, met }: Goal) => [
  what,
  goal,
  ratio ? toSpread(ratio, 2) : '',
  met === undefined ? 'skipped' : met ? 'met' : 'not met',
];

/** Formats a run for a terminal: figures, goals, versions, and which systems were skipped and why. */
export function toText({ rows, goals, skipped, rounds, machine }: BenchResult): string {
  const what = ['system', 'submissions/s', 'completions/s', 'submission p50 / p95 / p99, ms', 'CPU ms per task', 'MiB'];
  return [
    `Medians of ${rounds} rounds (lowest–highest) on ${machine}`,
    '',
    toTable(what, rows.map(toRow)),
    '',
    toTable(['ratio', 'goal', 'measured', ''], goals.map(toGoal)),
    '',
    ...rows.map(({ name, versions, storage }) => `${name}: ${versions.join(', ')}; ${storage}`),
    ...skipped.map(({ name, reason }) => `SKIPPED: ${name}: ${reason}`),
  ].join('\n');
}
