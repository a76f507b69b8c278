import { expect, test } from 'vitest';
import type { ItemOutcome } from '../../../src/contract.ts';
import { isSliceResult, isSliceSignal } from '../../../src/slices/reports.ts';
import { createSlices, formerLimits } from '../../../src/workflows/slices.ts';

const retry = { initialInterval: 2_000, backoffCoefficient: 2, maximumInterval: 300_000, maximumAttempts: 5 };
const toIndexes = (count: number, first = 0) => Array.from({ length: count }, (_, n) => first + n);
const start = (count: number, maximumItems = count) =>
  createSlices(toIndexes(count), { ...formerLimits, maximumItems }, retry);
const toOutcomes = (indexes: number[]): ItemOutcome[] => indexes.map((index) => ({ index, output: {} }));

const failure = { type: 'UpstreamUnavailable', message: 'HTTP 503' };
const toFailures = (indexes: number[]): ItemOutcome[] => indexes.map((index) => ({ index, failure, waitMs: 2_000 }));

test('items that a slice has not begun go back, and the next slice has twice the items that the last one began', () => {
  const slices = start(200);
  expect(slices.take('a')).toHaveLength(200);
  expect(slices.isBeginning()).toBe(true);
  expect(slices.report('a', { outcomes: toOutcomes(toIndexes(30)) })).toHaveLength(30);
  expect(slices.isBeginning()).toBe(false);
  expect(slices.take('b')).toEqual(toIndexes(60, 30));
  slices.report('b', { outcomes: toOutcomes([30]) });
  expect(slices.take('c')).toEqual(toIndexes(10, 31));
});

test('the first outcome of an item counts, and reports of a slice that has ended or is unknown change nothing', () => {
  const slices = start(3);
  slices.take('a');
  expect(slices.report('a', { outcomes: [...toOutcomes([0]), { index: 0, cancelled: true }] }, [1])).toEqual(
    toOutcomes([0]),
  );
  expect(slices.report('a', { outcomes: toOutcomes([0]) }, [1])).toEqual([]);
  expect(slices.report('other', { outcomes: toOutcomes([1]) })).toEqual([]);
  expect(slices.report('a', { outcomes: toOutcomes([0, 1, 2, 9]) })).toEqual(toOutcomes([1]));
  expect(slices.report('a', { outcomes: toOutcomes([1]) })).toEqual([]);
  expect(slices.take('b')).toEqual([2]);
});

test('a slice that holds slow calls lets the next slice begin, and keeps only these calls', () => {
  const slices = start(5);
  slices.take('a');
  slices.report('a', { outcomes: toOutcomes([0]) }, [1, 2]);
  expect([slices.isBeginning(), slices.isRunning(), slices.hasWaiting()]).toEqual([false, true, true]);
  expect(slices.take('b')).toEqual([3, 4]);
  slices.report('b', { outcomes: toOutcomes([3, 4]) });
  expect([slices.isRunning(), slices.hasWaiting()]).toEqual([true, false]);
  expect(slices.report('a', { outcomes: toOutcomes([1, 2]) })).toHaveLength(2);
  expect(slices.isRunning()).toBe(false);
});

test('the items of a lost slice come last and in small slices, and after two losses they run alone', () => {
  const slices = start(40, 20);
  slices.take('a');
  slices.report('a', { outcomes: toOutcomes([0]) }, toIndexes(15));
  expect(slices.lose('a')).toEqual([]);
  for (let fresh = 25; fresh > 0; ) {
    const taken = slices.take('fresh');
    expect(Math.min(...taken)).toBeGreaterThanOrEqual(15);
    slices.report('fresh', { outcomes: toOutcomes(taken) });
    fresh -= taken.length;
  }
  expect(slices.take('b')).toEqual(toIndexes(10, 1));
  expect(slices.lose('b')).toEqual(toIndexes(10, 1));
  expect(slices.take('c')).toEqual([11, 12, 13, 14]);
  expect(slices.lose('c')).toEqual([11, 12, 13, 14]);
  expect([slices.hasWaiting(), slices.isRunning()]).toEqual([false, false]);
});

test('if the upstream seems to be down, the next slice waits as the policy says, or longer if the slice asks for it', () => {
  const slices = start(100);
  const begin = (holdMs?: number, count = 1, toResults = toFailures) => {
    const taken = slices.take('a').slice(0, count);
    slices.report('a', { outcomes: toResults(taken), ...(holdMs !== undefined && { holdMs }) });
    return slices.toHoldMs();
  };
  expect([begin(2_000), begin(2_000), begin(2_000), begin(60_000)]).toEqual([2_000, 4_000, 8_000, 60_000]);
  // With five attempts, an item waits 16 s at most.
  expect([begin(2_000), begin(2_000)]).toEqual([16_000, 16_000]);
  expect([begin(1e12), begin()]).toEqual([300_000, 0]);
  // An upstream that answers some items is not down.
  expect([begin(2_000), begin(2_000), begin(2_000, 1, toOutcomes)]).toEqual([2_000, 4_000, 2_000]);
  expect(begin()).toBe(0);
  // The workers of these slices stopped before they began an item.
  expect([begin(undefined, 0), begin(undefined, 0), begin()]).toEqual([1_000, 2_000, 0]);
});

test.each<[unknown, boolean]>([
  [{ outcomes: [] }, true],
  [{ outcomes: [{ index: 0, output: null }], holdMs: 5 }, true],
  [{ outcomes: [{ index: 0, cancelled: true }] }, true],
  [{ outcomes: [{ index: 0, failure, waitMs: 2_000 }] }, true],
  [{ outcomes: [{ index: 0, failure, reason: 'attempts-exhausted' }] }, true],
  [undefined, false],
  [{}, false],
  [{ outcomes: {} }, false],
  [{ outcomes: [null] }, false],
  [{ outcomes: [{ index: 0 }] }, false],
  [{ outcomes: [{ index: -1, output: 1 }] }, false],
  [{ outcomes: [{ index: 0, failure }] }, false],
  [{ outcomes: [{ index: 0, failure: 'text', waitMs: 1 }] }, false],
  [{ outcomes: [{ index: 0, failure, waitMs: -1 }] }, false],
  [{ outcomes: [{ index: 0, failure, reason: 'other' }] }, false],
  [{ outcomes: [], holdMs: 'long' }, false],
])('whether %j is the result of a slice: %s', (value, expected) => {
  expect(isSliceResult(value)).toBe(expected);
});

test.each<[unknown[], boolean]>([
  [['slice-0', { outcomes: [], running: [1] }], true],
  [[], false],
  [['slice-0'], false],
  [['slice-0', { outcomes: [] }], false],
  [['slice-0', { outcomes: [], running: ['1'] }], false],
  [[0, { outcomes: [], running: [] }], false],
])('whether %j are the arguments of a signal of a slice: %s', ([slice, report], expected) => {
  expect(isSliceSignal(slice, report)).toBe(expected);
});
