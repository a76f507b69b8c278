const steps = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_800, 3_600];
const mostBars = 120;
const binsADecade = 20;

/** More dots than this make a chart slow and no clearer. */
const mostDots = 10_000;

/** `all`, or where these are too many, evenly every so-manieth of them. */
export function toSample<Value>(all: Value[]): Value[] {
  const everyNth = Math.ceil(all.length / mostDots);
  return all.filter((_, index) => index % everyNth === 0);
}

/** One bar of a histogram; bins without a value have none. */
export type Bin = { from: number; to: number; count: number };

function countBy(values: number[], toIndex: (value: number) => number) {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(toIndex(value), (counts.get(toIndex(value)) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => a - b);
}

/**
 * How many moments (milliseconds) of each series fell into each step of time, and so how many a second. The step is the
 * shortest out of a list of round ones that leaves the chart few enough bars.
 */
export function toRates<Name extends string>(series: Record<Name, number[]>) {
  const all = Object.values<number[]>(series).flat();
  const spanMs = all.reduce((max, at) => Math.max(max, at), 0) - all.reduce((min, at) => Math.min(min, at), 0);
  const stepSeconds = steps.find((step) => spanMs / step / 1_000 <= mostBars) ?? 86_400;
  const toBars = (moments: number[]) =>
    countBy(moments, (at) => Math.floor(at / 1_000 / stepSeconds)).map(([index, count]) => ({
      fromSeconds: index * stepSeconds,
      toSeconds: (index + 1) * stepSeconds,
      count,
      perSecond: count / stepSeconds,
    }));
  const names = Object.keys(series) as Name[];
  const bars = Object.fromEntries(names.map((name) => [name, toBars(series[name])]));
  return { stepSeconds, bars: bars as Record<Name, ReturnType<typeof toBars>> };
}

/** A histogram of milliseconds in bins of equal width on a logarithmic axis; what is below 1 ms counts as 1 ms. */
export function toBins(valuesMs: number[]): Bin[] {
  const edge = (index: number) => 10 ** (index / binsADecade);
  return countBy(valuesMs, (value) => Math.floor(Math.log10(Math.max(1, value)) * binsADecade)).map(
    ([index, count]) => ({
      from: edge(index),
      to: edge(index + 1),
      count,
    }),
  );
}
