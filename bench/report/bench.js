const { data, charts, element, addTo, table, toCount, plot } = globalThis.report;
const { Plot } = globalThis;

const toRate = ({ median }) => toCount(Math.round(median));
const toSpread = ({ median, min, max }, digits) =>
  `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
const toVerdict = ({ met }) => (met === undefined ? '– skipped' : met ? '✓ met' : '✗ not met');
const toClass = ({ met }) => (met === undefined ? 'not-run' : met ? 'passed' : 'failed');

addTo(
  'run',
  element(
    'p',
    {},
    `${data.rounds} rounds on ${data.machine}, started ${data.startedAt}, took ${Math.round(data.seconds)} s.`,
  ),
  ...data.skipped.map(({ name, reason }) => element('p', { class: 'not-run' }, `Skipped: ${name}: ${reason}`)),
);
addTo(
  'goals',
  table(
    'Ratios within this run: median, minimum and maximum of the rounds',
    ['Ratio', 'Goal', 'Measured', ''],
    data.goals.map((goal) => [
      goal.what,
      goal.goal,
      goal.measured ? toSpread(goal.measured, 2) : '–',
      element('span', { class: toClass(goal) }, toVerdict(goal)),
    ]),
  ),
);
addTo(
  'systems',
  element(
    'div',
    { class: 'scroll' },
    table(
      'Medians of the rounds. p50, p95 and p99 are the latency of the submissions of all rounds. Result is the time from a submission to its result, p50 and p95, with one task at a time.',
      ['System', 'Submissions/s', 'Completions/s', 'p50', 'p95', 'p99', 'Result', 'CPU ms / task', 'Memory'],
      data.rows.map((row) => [
        row.name,
        toRate(row.submissionRate),
        toRate(row.completionRate),
        ...['p50', 'p95', 'p99'].map((key) => `${row.submissionLatency[key]} ms`),
        row.executionLatency ? `${row.executionLatency.p50} / ${row.executionLatency.p95} ms` : '–',
        row.cpuSecondsPer1000.median.toFixed(2),
        `${Math.round(row.memoryMiB.median)} MiB`,
      ]),
    ),
  ),
);
addTo(
  'slow',
  table(
    'Each call takes 50 ms. Of as many first calls as there are tasks, 20 % fail. Second attempts wait about 2 s.',
    ['System', 'Completions/s', 'CPU ms / task'],
    data.slow.map((row) => [row.name, toCount(Math.round(row.completionRate)), row.cpuSecondsPer1000.toFixed(2)]),
  ),
);
addTo(
  'versions',
  table(
    'Versions of the software that ran, and where an accepted task is stored',
    ['System', 'Versions', 'Storage'],
    data.rows.map(({ name, versions, storage }) => [name, versions.join(', '), storage]),
  ),
);

/** Adds a chart to section `id`. Each system has a bar up to the median and a dot for each round. */
function toBars(id, figure, label) {
  charts.push({
    id,
    empty: data.rows.length === 0 && 'Nothing was measured.',
    label,
    caption: 'Bars show the median of the rounds. Dots show the single rounds.',
    draw: (width) => [
      plot(width, label, {
        marginLeft: Math.min(180, width / 3),
        marginRight: 48,
        height: 40 + data.rows.length * 30,
        x: { label: null, grid: true, zero: true },
        y: { label: null, domain: data.rows.map(({ name }) => name) },
        marks: [
          Plot.barX(data.rows, {
            x: (row) => row[figure].median,
            y: 'name',
            fill: (row) => (row.name.startsWith('Holdfast') ? 'var(--blue)' : 'var(--muted)'),
            fillOpacity: 0.5,
            insetTop: 3,
            insetBottom: 3,
          }),
          Plot.dot(
            data.rows.flatMap((row) => row.rounds.map((round) => ({ name: row.name, value: round[figure] }))),
            { x: 'value', y: 'name', r: 2.5, fill: 'currentColor' },
          ),
        ],
      }),
    ],
  });
}
toBars('completions', 'completionRate', 'Completions a second of each system');
toBars('submissions', 'submissionRate', 'Submissions a second of each system');
toBars('cpu', 'cpuSecondsPer1000', 'CPU milliseconds per task of each system');
