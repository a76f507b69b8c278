const { data, charts, element, addTo, toCount, plot } = globalThis.report;
const { Plot } = globalThis;

addTo(
  'run',
  element('p', {}, `On ${data.machine}, started ${data.startedAt}, took ${Math.round(data.seconds)} s.`),
  element(
    'p',
    { id: 'ratio' },
    `Drain rate with ${toCount(data.backlogs[1].tasks)} tasks, divided by the rate with ${toCount(data.backlogs[0].tasks)} tasks: ${data.ratio.toFixed(2)}`,
  ),
);

/** Adds a chart to section `id`, with a curve for each series. */
function addCurves(id, label, caption, { x, y, points, log = false }) {
  const legend = [...new Set(points.map(({ series }) => series))];
  charts.push({
    id,
    empty: points.length === 0 && 'Nothing was measured.',
    label,
    caption,
    draw: (width) => [
      plot(width, label, {
        marginTop: 30,
        height: 260,
        x: { label: `${x} →`, ...(log && { type: 'log', ticks: [10, 100, 1_000], tickFormat: toCount }) },
        y: { label: `↑ ${y}`, grid: true, zero: true },
        color: { domain: legend, range: ['var(--blue)', 'var(--orange)', 'var(--green)', 'var(--red)'], legend: false },
        marks: [
          Plot.ruleY([0]),
          Plot.line(points, { x: 'x', y: 'y', stroke: 'series', ariaDescription: 'curve' }),
          Plot.dot(points, { x: 'x', y: 'y', fill: 'series', r: 3, ariaDescription: 'point' }),
          Plot.text(
            points,
            Plot.selectLast({
              x: 'x',
              y: 'y',
              z: 'series',
              text: 'series',
              fill: 'currentColor',
              dy: -10,
              textAnchor: 'end',
            }),
          ),
        ],
      }),
    ],
  });
}

const cpuOf = (drain, x) => Object.entries(drain.cpuSecondsPer1000).map(([series, y]) => ({ series, x, y }));
addCurves('workers', 'Tasks a second by the number of workers', 'One backlog for each number of worker processes.', {
  x: 'worker processes',
  y: 'tasks a second',
  points: data.workers.map(({ workers, drainRate }) => ({ series: 'drained', x: workers, y: drainRate })),
});
addCurves('workers', 'CPU seconds for 1,000 tasks by the number of workers', 'Submission and drain together.', {
  x: 'worker processes',
  y: 'CPU seconds for 1,000 tasks',
  points: data.workers.flatMap((drain) => cpuOf(drain, drain.workers)),
});
addCurves(
  'backlog',
  'Tasks a second while a backlog is drained',
  'The rate of each tenth of a backlog, with one worker.',
  {
    x: 'per cent drained',
    y: 'tasks a second',
    points: data.backlogs.flatMap(({ tasks, tenths }) =>
      tenths.map((y, index) => ({ series: `${toCount(tasks)} tasks`, x: (index + 1) * 10, y })),
    ),
  },
);
addCurves('clients', 'Latency of submissions while clients follow a task', 'Ten submissions at a time.', {
  x: 'clients',
  y: 'milliseconds',
  log: true,
  points: data.crowds.flatMap(({ clients, latency }) =>
    ['p50', 'p95'].map((series) => ({ series, x: clients, y: latency[series] })),
  ),
});
addCurves('clients', 'CPU of the API for clients that follow a task', 'Without submissions.', {
  x: 'clients',
  y: 'per cent of a core',
  log: true,
  points: data.crowds.map(({ clients, cpuShare }) => ({ series: 'API', x: clients, y: cpuShare * 100 })),
});
const drains = [...data.workers, ...data.backlogs];
addCurves('memory', 'Memory after each drained backlog', 'Proportional set size, added up over all workers.', {
  x: 'backlogs drained so far',
  y: 'MiB',
  points: drains.flatMap(({ memoryMiB }, index) =>
    Object.entries(memoryMiB).map(([series, y]) => ({ series, x: index + 1, y })),
  ),
});
