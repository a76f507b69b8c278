const { data, charts, toCount, toTime, plot, toLogAxis, timeAxisX, atLeast1, lines } = globalThis.report;
const { Plot } = globalThis;
const { distribution, run } = data;

const labelHeight = 16;

function toHistogram(width, { name, bins, percentiles, color }) {
  const axis = toLogAxis(
    bins.flatMap(({ from, to }) => [from, to]),
    width / 70,
  );
  const middle = Math.sqrt(axis.scale.domain[0] * axis.scale.domain[1]);
  const rules = ['p50', 'p95', 'p99'].map((key, index) => ({ key, row: 2 - index, at: atLeast1(percentiles[key]) }));
  return plot(width, `Histogram: ${name} latency of ${toCount(percentiles.count)}, with p50, p95 and p99`, {
    height: 250,
    marginTop: 4 * labelHeight + 6,
    x: axis.scale,
    y: {
      label: null,
      grid: true,
      zero: true,
      nice: true,
      tickFormat: (count) => (Number.isInteger(count) ? toCount(count) : ''),
    },
    marks: [
      ...timeAxisX(axis, `${name} latency →`),
      Plot.text([`↑ number of ${name}s`], { frameAnchor: 'top-left', dx: -54, dy: -4 * labelHeight }),
      Plot.rectY(bins, {
        x1: 'from',
        x2: 'to',
        y: 'count',
        fill: color,
        insetLeft: 0.5,
        ariaDescription: name,
        title: ({ from, to, count }) =>
          lines(`${toTime(from)} to ${toTime(to)}`, `${toCount(count)} of ${toCount(percentiles.count)}`),
        tip: 'x',
      }),
      Plot.ruleY([0]),
      ...rules.map(({ key, row, at }) =>
        Plot.ruleX([at], {
          stroke: 'currentColor',
          strokeDasharray: '4 3',
          insetTop: -(row + 0.8) * labelHeight,
          ariaDescription: key,
        }),
      ),
      // Labels come after all rules and have a halo, because a label may cover the rule of another percentile.
      ...rules.map(({ key, row, at }) =>
        Plot.text([`${key} ${toTime(percentiles[key])}`], {
          x: [at],
          frameAnchor: 'top',
          lineAnchor: 'bottom',
          textAnchor: at > middle ? 'end' : 'start',
          dx: at > middle ? -4 : 4,
          dy: -row * labelHeight - 2,
          fill: 'currentColor',
          stroke: 'var(--surface)',
          strokeWidth: 4,
        }),
      ),
    ],
  });
}

const histograms = [
  { name: 'submission', bins: distribution.submission, percentiles: run.latency.submission, color: 'var(--blue)' },
  { name: 'completion', bins: distribution.completion, percentiles: run.latency.completion, color: 'var(--orange)' },
].filter(({ bins }) => bins.length > 0);

charts.push({
  id: 'distribution',
  empty: histograms.length === 0 && 'No latency was measured.',
  label: 'How the latencies of submissions and completions are distributed',
  caption:
    'The number of submissions and completions by latency. The axis is logarithmic: each bar ends 12 % above its start.',
  draw: (width) => histograms.map((histogram) => toHistogram(width, histogram)),
});
