import { cpus } from 'node:os';
import { policySchema, toWaitMs } from '../src/policy.ts';

/**
 * Returns the current time in epoch milliseconds, with decimals. Within a process, the time never goes back. Times from
 * different processes of one machine can be compared.
 */
export const nowMs = () => performance.timeOrigin + performance.now();

/** Returns the number and the model of this machine's processors: `2 × AMD EPYC`. */
export const toMachine = () => `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'CPU'}`;

/** The distribution of a set of times. Every time is in whole milliseconds. */
export type Percentiles = Record<'count' | 'min' | 'p50' | 'p90' | 'p95' | 'p99' | 'max', number>;

/**
 * Returns the distribution of `values`, rounded to whole milliseconds. Every figure is 0 if there are no values.
 * `p90` is the smallest of the values that is at least as large as 90 % of them (nearest rank).
 */
export function toPercentiles(values: number[]): Percentiles {
  const sorted = Float64Array.from(values, (value) => Math.max(0, Math.round(value))).sort();
  const at = (percentile: number) => sorted[Math.ceil((percentile * sorted.length) / 100) - 1] ?? 0;
  const [min = 0] = sorted;
  return { count: sorted.length, min, p50: at(50), p90: at(90), p95: at(95), p99: at(99), max: at(100) };
}

/** Formats the percentiles as one line: `p50 12 ms, p90 …`. */
export const toPercentileLine = ({ p50, p90, p95, p99, max }: Percentiles) =>
  `p50 ${p50} ms, p90 ${p90} ms, p95 ${p95} ms, p99 ${p99} ms, max ${max} ms`;

/**
 * Calculates `count` waits and returns how many seconds that took. The policy has six attempts, and the calculation
 * cycles through the waits after attempts 1 to 5. Also returns the sum of the waits, so that the JavaScript engine
 * cannot skip the calculations.
 */
export function timeWaitCalculations(count: number): { sumMs: number; seconds: number } {
  const policy = policySchema.parse({ maximumAttempts: 6 });
  const started = performance.now();
  let sumMs = 0;
  for (let index = 0; index < count; index += 1) sumMs += toWaitMs(policy, (index % 5) + 1) ?? 0;
  return { sumMs, seconds: (performance.now() - started) / 1_000 };
}
