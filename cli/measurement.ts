import { cpus } from 'node:os';
import { policySchema, toWaitMs } from '../src/policy.ts';

/**
 * Returns the time now in epoch milliseconds, with decimals. The clock never goes back, and all processes of one machine
 * can compare its readings.
 */
export const nowMs = () => performance.timeOrigin + performance.now();

/** Returns the processors that a measurement was made on: `2 × AMD EPYC`. */
export const toMachine = () => `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'CPU'}`;

/** The distribution of a set of times. Every time is in whole milliseconds. */
export type Percentiles = {
  count: number;
  min: number;
  p50: number;
  p90: number;
  p95: number;
  p99: number;
  max: number;
};

/**
 * Returns the distribution of `values`, rounded to whole milliseconds. Every figure is 0 if there are no values.
 * A percentile is the smallest value that at least that share of the values does not exceed (nearest rank).
 */
export function toPercentiles(values: number[]): Percentiles {
  const sorted = Float64Array.from(values, (value) => Math.max(0, Math.round(value))).sort();
  const at = (percentile: number) => sorted[Math.ceil((percentile * sorted.length) / 100) - 1] ?? 0;
  return {
    count: sorted.length,
    min: sorted[0] ?? 0,
    p50: at(50),
    p90: at(90),
    p95: at(95),
    p99: at(99),
    max: at(100),
  };
}

/** Returns one line for people: `p50 12 ms, p90 …`. */
export const toPercentileLine = ({ p50, p90, p95, p99, max }: Percentiles) =>
  `p50 ${p50} ms, p90 ${p90} ms, p95 ${p95} ms, p99 ${p99} ms, max ${max} ms`;

/**
 * Calculates the waits after attempts 1 to 5 of six, `count` in all, and returns the seconds that it took. The sum keeps
 * the calculations from being optimized away.
 */
export function timeWaitCalculations(count: number): { sumMs: number; seconds: number } {
  const policy = policySchema.parse({ maximumAttempts: 6 });
  const started = performance.now();
  let sumMs = 0;
  for (let index = 0; index < count; index += 1) sumMs += toWaitMs(policy, (index % 5) + 1) ?? 0;
  return { sumMs, seconds: (performance.now() - started) / 1_000 };
}
