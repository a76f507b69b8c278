const { data, charts, plural, plot, lines, seconds, sinceStart, tipWidth } = globalThis.report;
const { Plot } = globalThis;
const { memory } = data;

const processes = [
  { process: 'API', label: 'API', color: 'var(--blue)', symbol: 'circle' },
  { process: 'worker', label: 'worker', color: 'var(--orange)', symbol: 'square' },
];
const mebibytes = (bytes) => bytes / 1_048_576;

charts.push({
  id: 'memory',
  empty: memory.length === 0 && 'No memory was measured, because the memory check did not run.',
  label: 'Heap and resident memory of API and worker over the time of the run',
  caption: 'Heap in use after a forced garbage collection, and resident set size, for each process.',
  legend: processes,
  draw: (width) =>
    [
      { name: 'heap after GC', key: 'heapUsedBytes' },
      { name: 'RSS', key: 'rssBytes' },
    ].map(({ name, key }) => {
      const channels = { x: ({ atMs }) => seconds(atMs), y: (sample) => mebibytes(sample[key]) };
      return plot(width, `Lines: ${name} of API and worker in MiB over the time of the run`, {
        height: 205,
        x: { label: sinceStart },
        y: { label: `↑ ${name}, MiB`, grid: true, zero: true, nice: true },
        marks: [
          Plot.ruleY([0]),
          ...processes.flatMap(({ process, color, symbol }) => {
            const samples = memory.filter((sample) => sample.process === process);
            return [
              Plot.line(samples, { ...channels, stroke: color }),
              Plot.dot(samples, { ...channels, fill: color, symbol, r: 3.5, ariaDescription: `${name}, ${process}` }),
            ];
          }),
          Plot.tip(
            memory,
            Plot.pointer({
              lineWidth: tipWidth,
              ...channels,
              title: (sample) =>
                lines(
                  `${sample.process}, ${sample.phase}`,
                  `after ${plural(sample.tasks, 'task')}`,
                  `${name} ${mebibytes(sample[key]).toFixed(1)} MiB`,
                ),
            }),
          ),
        ],
      });
    }),
});
