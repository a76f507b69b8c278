const { data, charts, plural, toCount, plot, lines, sinceStart } = globalThis.report;
const { Plot } = globalThis;
const { throughput, run } = data;

const { stepSeconds, bars, wholeTime } = throughput;
const allBars = [...bars.submissions, ...bars.completions];

charts.push({
  id: 'throughput',
  empty: allBars.length === 0 && 'No submission was made and no task ended.',
  label: 'Throughput: submissions and completions per second over the time of the run',
  caption: `${plural(run.latency.submission.count, 'submission')} by the time when they were sent, and ${plural(run.latency.completion.count, 'task')} by the time when they ended. Each bar covers ${stepSeconds} s.`,
  draw: (width) =>
    [
      { name: 'submissions', color: 'var(--blue)' },
      { name: 'completions', color: 'var(--orange)' },
    ].map(({ name, color }) =>
      plot(width, `Bars: ${name} per second over the time of the run`, {
        height: 185,
        x: { domain: wholeTime, label: sinceStart },
        y: { label: `↑ ${name} per second`, grid: true, zero: true, nice: true },
        marks: [
          Plot.rectY(bars[name], {
            x1: 'fromSeconds',
            x2: 'toSeconds',
            y: 'perSecond',
            fill: color,
            insetLeft: 0.5,
            ariaDescription: name,
            title: (bar) =>
              lines(`${bar.fromSeconds} s to ${bar.toSeconds} s`, `${toCount(bar.count)} ${name}, ${bar.perSecond}/s`),
            tip: 'x',
          }),
          Plot.ruleY([0]),
        ],
      }),
    ),
});
