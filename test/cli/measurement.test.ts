import { expect, test } from 'vitest';
import { toPercentiles } from '../../cli/measurement.ts';

test('percentiles are values that occur, by nearest rank, whatever the order', () => {
  const values = Array.from({ length: 51 }, (_, index) => 51 - index);
  expect(toPercentiles(values)).toEqual({ count: 51, min: 1, p50: 26, p90: 46, p95: 49, p99: 51, max: 51 });
  // 95 % of 20 is 19 exactly: the 19th value, not the next.
  expect(toPercentiles(values.slice(-20)).p95).toBe(19);
});

test('times are rounded to whole milliseconds, and every figure of no times is 0', () => {
  expect(toPercentiles([0.4, 123_456.6])).toMatchObject({ count: 2, min: 0, p50: 0, max: 123_457 });
  expect(toPercentiles([])).toEqual({ count: 0, min: 0, p50: 0, p90: 0, p95: 0, p99: 0, max: 0 });
});
