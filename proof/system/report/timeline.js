const { data, charts, element, table, plural, toTime, plot, lines, seconds, toBrokenId, tipWidth } = globalThis.report;
const { d3, Plot } = globalThis;
const { timeline } = data;

const rowHeight = 17;
const kinds = [
  { kind: 'answered', label: 'answered 200', color: 'var(--green)', symbol: 'circle' },
  { kind: 'error', label: 'error status', color: 'var(--orange)', symbol: 'diamond' },
  { kind: 'lost', label: 'hung, reset or cut short', color: 'var(--red)', symbol: 'triangle' },
];

const toShortId = (id) => (id.length > 9 ? `…${id.slice(-8)}` : id);
const toAnswer = ({ status, outcome }) =>
  `${status === null ? 'no status' : `status ${status}`}${outcome === 'answered' ? '' : `, ${outcome}`}`;
const toWait = ({ waitMs }) => (waitMs === null ? [] : [`then waited ${toTime(waitMs)}`]);

const { rows } = timeline;
const calls = rows.flatMap(({ calls: ofTask, id, check }, row) => ofTask.map((call) => ({ ...call, id, check, row })));
const gaps = calls.filter(({ waitMs }) => waitMs !== null);
const held = calls.filter(({ toMs }) => toMs !== null);

function toCallTip(call) {
  const took = call.toMs === null ? 'never ended' : `took ${toTime(call.toMs - call.fromMs)}`;
  const attempt = `attempt ${call.attempt}: ${toAnswer(call)}`;
  return lines(toBrokenId(`task ${call.id}`), call.check, attempt, took, ...toWait(call));
}

function drawTimeline(width) {
  const row = { y: 'row' };
  return plot(width, `Timeline: the calls to the upstream of ${plural(rows.length, 'task')}, one row each`, {
    height: rows.length * rowHeight + 60,
    marginLeft: 84,
    marginTop: 20,
    x: { label: 'seconds since the task was submitted →', grid: true, zero: true },
    y: {
      type: 'band',
      domain: d3.range(rows.length),
      label: null,
      tickSize: 0,
      tickFormat: (index) => toShortId(rows[index].id),
    },
    marks: [
      Plot.ruleY(gaps, {
        ...row,
        x1: ({ toMs }) => seconds(toMs),
        x2: ({ toMs, waitMs }) => seconds(toMs + waitMs),
        stroke: 'var(--muted)',
        ariaDescription: 'waits',
      }),
      ...kinds.flatMap(({ kind, label, color, symbol }) => [
        Plot.ruleY(
          held.filter((call) => call.kind === kind),
          {
            ...row,
            x1: ({ fromMs }) => seconds(fromMs),
            x2: ({ toMs }) => seconds(toMs),
            stroke: color,
            strokeWidth: 5,
          },
        ),
        Plot.dot(
          calls.filter((call) => call.kind === kind),
          {
            ...row,
            x: ({ fromMs }) => seconds(fromMs),
            fill: color,
            stroke: 'var(--surface)',
            strokeWidth: 0.5,
            symbol,
            r: 4.5,
            ariaDescription: label,
          },
        ),
      ]),
      Plot.tickX(rows, {
        x: ({ endMs }) => seconds(endMs),
        y: (_, index) => index,
        stroke: 'currentColor',
        strokeWidth: 1.5,
        inset: 2,
        ariaDescription: 'ends',
      }),
      Plot.tip(
        calls,
        Plot.pointer({
          lineWidth: tipWidth,
          ...row,
          x: ({ fromMs }) => seconds(fromMs),
          title: toCallTip,
          maxRadius: 20,
        }),
      ),
    ],
  });
}

const toTableRow = ({ id, check, status, calls: ofTask }) => [
  element('span', { class: 'id' }, id),
  check,
  status,
  element('ol', {}, ...ofTask.map((call) => element('li', {}, [toAnswer(call), ...toWait(call)].join(', ')))),
];

charts.push({
  id: 'timeline',
  empty: rows.length === 0 && 'No call to the upstream was recorded: only a joke API records them.',
  label: 'When each task called the upstream, how the calls ended, and the waits between them',
  caption: `${rows.length} of ${plural(timeline.tasks, 'task')} shown, those with the most attempts first; ${timeline.retried} retried.`,
  legend: [
    ...kinds,
    { label: 'wait', color: 'var(--muted)', symbol: 'line' },
    { label: 'end of the task', color: 'currentColor', symbol: 'tick' },
  ],
  draw: (width) => [drawTimeline(width)],
  more: () =>
    element(
      'details',
      {},
      element('summary', {}, 'The same attempts as a table'),
      element(
        'div',
        { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'The attempts as a table' },
        table(
          'Each task shown above, with its attempts in order',
          ['Task', 'Check', 'Status', 'Attempts'],
          rows.map(toTableRow),
        ),
      ),
    ),
});
