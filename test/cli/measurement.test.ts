import { expect, test } from 'vitest';
import { toPercentiles } from '../../cli/measurement.ts';

test('percentiles are values of the sample, by nearest rank, in any order', () => {
  const values = Array.from({ length: 51 }, (_, index) => 51 - index);
  expect(toPercentiles(values)).toEqual({ count: 51, min: 1, p50: 26, p90: 46, p95: 49, p99: 51, max: 51 });
  // 95 % of 20 is exactly 19, so this is the 19th value.
  expect(toPercentiles(values.slice(-20)).p95).toBe(19);
});

test('times are rounded to whole milliseconds, and every figure of an empty sample is 0', () => {
  expect(toPercentiles([0.4, 123_456.6])).toMatchObject({ count: 2, min: 0, p50: 0, max: 123_457 });
  expect(toPercentiles([])).toEqual({ count: 0, min: 0, p50: 0, p90: 0, p95: 0, p99: 0, max: 0 });
});
