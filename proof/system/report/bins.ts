const steps = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_800, 3_600];
const maximumBars = 120;
const binsPerDecade = 20;

/** The maximum number of dots in a series. More dots would make a chart slower but not clearer. */
const maximumDots = 10_000;

/** Returns all values, or every n-th value if there are more than `maximumDots`. */
export function toSample<Value>(all: Value[]): Value[] {
  const everyNth = Math.ceil(all.length / maximumDots);
  return all.filter((_, index) => index % everyNth === 0);
}

/** One bar of a histogram. Bins without a value are left out. */
export type Bin = { from: number; to: number; count: number };

function countBy(values: number[], toIndex: (value: number) => number) {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(toIndex(value), (counts.get(toIndex(value)) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => a - b);
}

/**
 * Returns the rate of each series over time: how many of its moments (in milliseconds since the start of the run) fall
 * into each step. The length of a step is the shortest in `steps` that gives a chart about `maximumBars` bars or fewer.
 * `wholeTime` is the start and the end of the time axis, in seconds.
 */
export function toRates<Name extends string>(series: Record<Name, number[]>) {
  const all = Object.values<number[]>(series).flat();
  const spanMs = all.reduce((max, at) => Math.max(max, at), 0) - all.reduce((min, at) => Math.min(min, at), 0);
  const stepSeconds = steps.find((step) => spanMs / step / 1_000 <= maximumBars) ?? 86_400;
  const toBars = (moments: number[]) =>
    countBy(moments, (at) => Math.floor(at / 1_000 / stepSeconds)).map(([index, count]) => ({
      fromSeconds: index * stepSeconds,
      toSeconds: (index + 1) * stepSeconds,
      count,
      perSecond: count / stepSeconds,
    }));
  const names = Object.keys(series) as Name[];
  const bars = Object.fromEntries(names.map((name) => [name, toBars(series[name])]));
  const edges = Object.values(bars).flatMap((of) =>
    of.flatMap(({ fromSeconds, toSeconds }) => [fromSeconds, toSeconds]),
  );
  const wholeTime = [Math.min(0, ...edges), Math.max(0, ...edges)];
  return { stepSeconds, wholeTime, bars: bars as Record<Name, ReturnType<typeof toBars>> };
}

/**
 * Returns a histogram of milliseconds with bins of equal width on a logarithmic axis. Values below 1 ms count as 1 ms.
 */
export function toBins(valuesMs: number[]): Bin[] {
  const edge = (index: number) => 10 ** (index / binsPerDecade);
  return countBy(valuesMs, (value) => Math.floor(Math.log10(Math.max(1, value)) * binsPerDecade)).map(
    ([index, count]) => ({ from: edge(index), to: edge(index + 1), count }),
  );
}
