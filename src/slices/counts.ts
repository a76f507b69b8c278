import type { AttemptsArguments, Counts } from '../contract.ts';
import { isCount, isRecord } from './reports.ts';

export const none: Counts = { completed: 0, failed: 0, cancelled: 0 };

export const toTotal = ({ completed, failed, cancelled }: Counts) => completed + failed + cancelled;

export const toSum = (all: Counts[]): Counts =>
  all.reduce(
    (sum, { completed, failed, cancelled }) => ({
      completed: sum.completed + completed,
      failed: sum.failed + failed,
      cancelled: sum.cancelled + cancelled,
    }),
    none,
  );

export const isSame = (one: Counts, other: Counts) =>
  one.completed === other.completed && one.failed === other.failed && one.cancelled === other.cancelled;

/** Whether the value is the counts of a chunk with `size` items. */
export const isCounts = (value: unknown, size = 0): value is Counts =>
  isRecord(value) &&
  [value.completed, value.failed, value.cancelled].every(isCount) &&
  toTotal(value as Counts) <= size;

/** Whether the value is a record of attempts by the index of an item. */
export const isAttempts = (value: unknown): value is AttemptsArguments[0] =>
  isRecord(value) && Object.entries(value).every(([index, attempts]) => /^\d+$/.test(index) && isCount(attempts));
