import { build } from 'hdr-histogram-js';

/** A distribution in milliseconds, to four significant digits (HdrHistogram). */
export type Percentiles = {
  count: number;
  min: number;
  p50: number;
  p90: number;
  p95: number;
  p99: number;
  max: number;
};

/** The percentiles of `values`, milliseconds; all 0 for none. */
export function toPercentiles(values: number[]): Percentiles {
  const histogram = build({ highestTrackableValue: 86_400_000, numberOfSignificantValueDigits: 4 });
  for (const value of values) histogram.recordValue(Math.max(0, Math.round(value)));
  const at = (percentile: number) => histogram.getValueAtPercentile(percentile);
  return {
    count: histogram.totalCount,
    min: values.length === 0 ? 0 : Math.round(Math.min(...values)),
    p50: at(50),
    p90: at(90),
    p95: at(95),
    p99: at(99),
    max: histogram.maxValue,
  };
}

/** `p50 12 ms, p90 …`: one line for a person. */
export const toPercentileLine = ({ p50, p90, p95, p99, max }: Percentiles) =>
  `p50 ${p50} ms, p90 ${p90} ms, p95 ${p95} ms, p99 ${p99} ms, max ${max} ms`;
