const { data, charts, plural, toCount, toTime, plot, toLogAxis, timeAxisY, atLeast1, lines, toBrokenId, tipWidth } =
  globalThis.report;
const { d3, Plot } = globalThis;
const { waits } = data;

const { measured, total, curve, capMs, jitter } = waits;
const spread = 0.3;

/** Spreads the dots over the column of their attempt, so that equal waits do not hide each other. */
const dots = measured.map((wait, index) => ({ ...wait, x: wait.attempt + spread * (((index * 0.618) % 1) * 2 - 1) }));

function drawWaits(width) {
  const values = [
    ...measured.map(({ waitMs }) => atLeast1(waitMs)),
    ...curve.flatMap(({ waitMs, longestMs }) => [waitMs, longestMs]),
    capMs,
  ];
  const axis = toLogAxis([...values.map((value) => value * 0.7), capMs * 1.6]);
  const attempts = [...curve, ...measured].map(({ attempt }) => attempt);
  const last = attempts.reduce((max, attempt) => Math.max(max, attempt), 1);
  const everyNth = Math.ceil(last / (width < 600 ? 6 : 12));
  return plot(width, 'Dots: each measured wait by attempt. Line: the waits that the policy prescribes', {
    height: 320,
    marginTop: 26,
    x: { domain: [0.5, last + 0.5], ticks: d3.range(1, last + 1, everyNth), tickFormat: 'd', label: 'after attempt →' },
    y: axis.scale,
    marks: [
      ...timeAxisY(axis, '↑ wait'),
      ...(jitter > 0
        ? [
            Plot.areaY(curve, {
              x: 'attempt',
              y1: 'waitMs',
              y2: 'longestMs',
              fill: 'currentColor',
              fillOpacity: 0.12,
              ariaDescription: 'jitter',
            }),
          ]
        : []),
      Plot.ruleY([capMs], { stroke: 'var(--red)', strokeDasharray: '6 3', ariaDescription: 'cap' }),
      Plot.text([`cap ${toTime(capMs)}`], {
        y: [capMs],
        frameAnchor: 'right',
        textAnchor: 'end',
        dy: -9,
        fill: 'var(--red)',
      }),
      Plot.line(curve, {
        x: 'attempt',
        y: 'waitMs',
        stroke: 'currentColor',
        strokeWidth: 1.5,
        ariaDescription: 'policy',
      }),
      Plot.dot(dots, {
        x: 'x',
        y: ({ waitMs }) => atLeast1(waitMs),
        fill: 'var(--blue)',
        fillOpacity: 0.6,
        r: 2.5,
        ariaDescription: 'measured waits',
      }),
      Plot.dot(curve, {
        x: 'attempt',
        y: 'waitMs',
        fill: 'var(--surface)',
        stroke: 'currentColor',
        symbol: 'square',
        r: 3.5,
        ariaDescription: 'policy points',
      }),
      Plot.text(
        curve.filter(({ attempt }) => attempt % everyNth === 1 % everyNth),
        {
          x: 'attempt',
          y: 'waitMs',
          text: ({ waitMs }) => toTime(waitMs),
          dx: 10,
          dy: 16,
          textAnchor: 'start',
          fill: 'currentColor',
          stroke: 'var(--surface)',
          strokeWidth: 4,
        },
      ),
      Plot.tip(
        dots,
        Plot.pointer({
          lineWidth: tipWidth,
          x: 'x',
          y: ({ waitMs }) => atLeast1(waitMs),
          title: ({ id, attempt, waitMs }) =>
            lines(toBrokenId(`task ${id}`), `after attempt ${attempt}`, `waited ${toTime(waitMs)}`),
        }),
      ),
    ],
  });
}

charts.push({
  id: 'waits',
  empty: measured.length === 0 && `No task of the check “${waits.check}” was retried, so there is no wait to compare.`,
  label: 'Measured waits between attempts, and the waits that the policy prescribes',
  caption: `${measured.length < total ? `${toCount(measured.length)} of ` : ''}${plural(total, 'wait')} of the check “${waits.check}”, from the end of each failed call to the start of the next. The wait axis is logarithmic.`,
  legend: [
    { label: 'measured', color: 'var(--blue)', symbol: 'circle' },
    { label: jitter > 0 ? 'the policy, and its jitter above' : 'the policy', color: 'currentColor', symbol: 'square' },
    { label: 'the policy’s cap', color: 'var(--red)', symbol: 'line' },
  ],
  draw: (width) => [drawWaits(width)],
});
