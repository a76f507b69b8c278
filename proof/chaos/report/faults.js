const { data, charts, toCount, plot } = globalThis.report;
const { Plot } = globalThis;

const colors = {
  kill: 'var(--red)',
  stop: 'var(--orange)',
  deploy: 'var(--green)',
  upstream: 'var(--blue)',
  delay: 'var(--muted)',
  cut: 'var(--muted)',
  drop: 'var(--muted)',
};
const toFamily = (kind) => kind.split('-')[0];
const lanes = [...new Set(data.faults.map(({ kind }) => kind))].sort();
const end = Math.max(data.throughput.length, ...data.faults.map(({ to }) => to));

/** The maximum number of points. In a run of more seconds, each point is the average of several seconds. */
const mostPoints = 300;
const step = Math.max(1, Math.ceil(data.throughput.length / mostPoints));
const series = { accepted: 'var(--blue)', ended: 'var(--green)', calls: 'var(--orange)' };
const names = { accepted: 'tasks accepted', ended: 'tasks ended', calls: 'upstream calls' };
const rates = Object.keys(series).flatMap((name) =>
  Array.from({ length: Math.ceil(data.throughput.length / step) }, (_, bin) => {
    const seconds = data.throughput.slice(bin * step, (bin + 1) * step);
    return { name, x: (bin + 0.5) * step, y: seconds.reduce((sum, second) => sum + second[name], 0) / seconds.length };
  }),
);

const x = { domain: [0, end], label: 'seconds since the start →' };
const toSvg = (width, label, options) => plot(width, label, { marginLeft: 112, x, ...options });

charts.push({
  id: 'timeline',
  empty: data.throughput.length === 0 && 'Nothing happened.',
  label: 'Tasks accepted, tasks ended and upstream calls per second, and the time of each fault',
  caption: `Both charts have the same time axis. ${toCount(data.faults.length)} faults: a filled one had a verified effect, a hollow one had no effect.${step > 1 ? ` Rates over ${step} s.` : ''}`,
  legend: Object.entries(series).map(([name, color]) => ({ label: names[name], color, symbol: 'line' })),
  draw: (width) => [
    toSvg(width, 'Lines: tasks accepted, tasks ended and upstream calls per second', {
      height: 220,
      y: { label: '↑ per second', grid: true, zero: true },
      marks: [
        Plot.ruleY([0]),
        ...Object.entries(series).map(([name, stroke]) =>
          Plot.line(
            rates.filter((rate) => rate.name === name),
            { x: 'x', y: 'y', stroke, strokeWidth: 1.5, ariaDescription: name },
          ),
        ),
      ],
    }),
    ...(lanes.length === 0
      ? []
      : [
          toSvg(width, 'Bars: the time of each fault, by kind', {
            height: 60 + 18 * lanes.length,
            y: { domain: lanes, label: null, type: 'band' },
            marks: [
              Plot.gridY(lanes),
              Plot.barX(data.faults, {
                x1: 'from',
                // Some faults end immediately. This minimum width makes them visible.
                x2: ({ from, to }) => Math.max(to, from + end / 400),
                y: 'kind',
                fill: ({ kind, verified }) => (verified ? colors[toFamily(kind)] : 'none'),
                stroke: ({ kind }) => colors[toFamily(kind)],
                insetTop: 2,
                insetBottom: 2,
                ariaDescription: 'fault',
                title: ({ number, kind, target, seen }) => `${number}: ${kind}\n${target}\n${seen}`,
                tip: true,
              }),
            ],
          }),
        ]),
  ],
});
