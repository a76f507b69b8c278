const { data, charts, toCount, toTime, plot } = globalThis.report;
const { Plot } = globalThis;
const { values, boundMs, percentiles } = data.recovery;

const rules = [
  { label: `p99 ${toTime(percentiles.p99)}`, at: percentiles.p99, row: 0 },
  { label: `bound ${toTime(boundMs)}`, at: boundMs, row: 1 },
];
const most = Math.max(boundMs, ...values) * 1.05;

charts.push({
  id: 'recovery',
  empty: values.length === 0 && 'No call of a killed worker could be judged.',
  label: 'Time from the kill of a worker to the next attempt of its calls, without the wait of the policy',
  caption: `${toCount(values.length)} calls whose worker was killed and that no other fault affected. Each time is from the kill to the next attempt, minus the policy's longest wait. The bound is the heartbeat timeout plus 2 s.`,
  draw: (width) => [
    plot(width, 'Histogram of recovery times, with p99 and bound', {
      height: 240,
      marginTop: 44,
      x: { domain: [0, most / 1_000], label: 'seconds →' },
      y: { label: '↑ calls', grid: true, zero: true },
      marks: [
        Plot.rectY(
          values,
          Plot.binX(
            { y: 'count' },
            {
              x: (ms) => ms / 1_000,
              domain: [0, most / 1_000],
              thresholds: 40,
              fill: 'var(--blue)',
              ariaDescription: 'bin',
            },
          ),
        ),
        Plot.ruleY([0]),
        ...rules.flatMap(({ label, at, row }) => [
          Plot.ruleX([at / 1_000], { stroke: 'currentColor', strokeDasharray: '4 3', ariaDescription: 'rule' }),
          // Each label has its own row, because the two vertical lines may be close together.
          Plot.text([label], {
            x: [at / 1_000],
            frameAnchor: 'top',
            lineAnchor: 'bottom',
            textAnchor: 'end',
            dx: -4,
            dy: -4 - 16 * row,
            fill: 'currentColor',
          }),
        ]),
      ],
    }),
  ],
});
