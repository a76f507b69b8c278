const { data, charts, toCount, toTime, plot, toLogAxis, timeAxisY, atLeast1, lines, seconds, sinceStart, tipWidth } =
  globalThis.report;
const { Plot } = globalThis;
const { latency, counts } = data;

const { accepted, refused, completions } = latency;
const toAnswer = (status) => (status === 0 ? 'no answer' : `answered ${status}`);
const dotKinds = [
  { label: 'tasks, until their end', dots: completions, color: 'var(--orange)', symbol: 'circle' },
  { label: 'submissions, until their answer', dots: accepted, color: 'var(--blue)', symbol: 'circle' },
  { label: 'submissions not accepted', dots: refused, color: 'var(--red)', symbol: 'times' },
];
const allDots = dotKinds.flatMap(({ dots }) => dots);

const all = counts.submissions + counts.tasks;
const drawn =
  allDots.length < all ? ` ${toCount(allDots.length)} of ${toCount(all)} dots are drawn, evenly spaced.` : '';
const axis = toLogAxis(allDots.map(({ latencyMs }) => atLeast1(latencyMs)));

charts.push({
  id: 'latency',
  empty: allDots.length === 0 && 'No submission was made and no task ended.',
  label: 'Latency of each submission and of each task over the time of the run',
  caption: `Each dot is at the time when a submission was sent. The latency axis is logarithmic.${drawn}`,
  legend: dotKinds.filter(({ dots }) => dots.length > 0),
  draw: (width) => [
    plot(width, 'Dots: latency of each submission and of each task over the time of the run', {
      height: 320,
      x: { domain: data.throughput.wholeTime, label: sinceStart },
      y: axis.scale,
      marks: [
        ...timeAxisY(axis, '↑ latency'),
        ...dotKinds.map(({ label, dots, color, symbol }) =>
          Plot.dot(dots, {
            x: ({ atMs }) => seconds(atMs),
            y: ({ latencyMs }) => atLeast1(latencyMs),
            symbol,
            r: symbol === 'circle' ? 2 : 3.5,
            ...(symbol === 'circle' ? { fill: color, fillOpacity: 0.6 } : { stroke: color }),
            ariaDescription: label,
          }),
        ),
        Plot.tip(
          allDots,
          Plot.pointer({
            lineWidth: tipWidth,
            x: ({ atMs }) => seconds(atMs),
            y: ({ latencyMs }) => atLeast1(latencyMs),
            title: ({ id, check, status, latencyMs }) =>
              lines(check, id === undefined ? `submission, ${toAnswer(status)}` : `task ${status}`, toTime(latencyMs)),
          }),
        ),
      ],
    }),
  ],
});
