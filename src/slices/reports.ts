import type { ItemFailure, ItemOutcome, SliceResult } from '../contract.ts';

export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isDelay = (value: unknown) => Number.isFinite(value) && (value as number) >= 0;

const isFailure = (value: unknown): value is ItemFailure =>
  isRecord(value) && typeof value.type === 'string' && typeof value.message === 'string';

const isOutcome = (value: unknown): value is ItemOutcome =>
  isRecord(value) &&
  isCount(value.index) &&
  ('output' in value ||
    value.cancelled === true ||
    (isFailure(value.failure) &&
      (isDelay(value.waitMs) || value.reason === 'non-retryable' || value.reason === 'attempts-exhausted')));

/** Whether the value is the result of a slice. An operator can complete an activity with any value. */
export const isSliceResult = (value: unknown): value is SliceResult =>
  isRecord(value) &&
  Array.isArray(value.outcomes) &&
  value.outcomes.every(isOutcome) &&
  (value.holdMs === undefined || isDelay(value.holdMs));

/** Whether the arguments are those of the signal of a slice. Anyone with access to Temporal can send one. */
export const isSliceSignal = (slice: unknown, report: unknown): boolean =>
  typeof slice === 'string' &&
  isSliceResult(report) &&
  'running' in report &&
  Array.isArray(report.running) &&
  report.running.every(isCount);
