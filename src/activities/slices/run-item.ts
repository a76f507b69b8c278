import { ApplicationFailure, activityInfo, CancelledFailure } from '@temporalio/activity';
import type { ItemFailure, ItemOutcome, SliceArguments } from '../../contract.ts';
import { failureTypes, toRetryDelayMs, unexpectedMessage } from '../../policy.ts';
import type { TaskActivities, TaskInput } from '../../tasks.ts';
import { withAttempt } from '../attempt.ts';
import { currentBackoff } from '../failure.ts';

type Execute = (input: { args: unknown[] }) => Promise<unknown>;

/** Runs around each attempt, like a worker interceptor. */
export type AroundAttempt = {
  execute: (input: { args: unknown[] }, next: (input: { args: unknown[] }) => Promise<unknown>) => Promise<unknown>;
};

/** The maximum size of an item's output as JSON, unless the slice sets another one. */
export const defaultMaximumOutputBytes = 16 * 1024;

/**
 * Creates a function that makes the first attempt of one item of the current slice. The attempt is the task's activity.
 * It has the item's id, the policy and timeout of the slice's options, and no heartbeat of its own.
 */
export function createRunItem(activities: TaskActivities, around: AroundAttempt[]) {
  return async (
    { name, options, indexes: _, inputs: __, ...attempt }: SliceArguments,
    index: number,
    input: TaskInput,
    signal: AbortSignal,
  ): Promise<ItemOutcome> => {
    const info = {
      activityId: String(index),
      activityType: name,
      retryPolicy: options.retry,
      startToCloseTimeoutMs: options.startToCloseTimeout,
      heartbeatTimeoutMs: undefined,
    };
    const call: Execute = ({ args }) => (activities[name] as (...all: unknown[]) => Promise<unknown>)(...args);
    const execute = around.reduceRight<Execute>((next, each) => (given) => each.execute(given, next), call);
    const item = { maximumOutputBytes: defaultMaximumOutputBytes, ...attempt };
    const run = async () => {
      try {
        // JSON has no `undefined`, and an outcome without an output would be none.
        return { index, output: (await execute({ args: [input, item] })) ?? null };
      } catch (error) {
        return { index, ...toEnd(error) };
      }
    };
    return await withAttempt(info, run, signal);
  };
}

/** Converts the error of an attempt to what follows for the item, as Temporal's server would decide it. */
function toEnd(error: unknown) {
  if (error instanceof CancelledFailure) return { cancelled: true as const };
  const failure = toItemFailure(error);
  const { nonRetryable, nextRetryDelay } = error as Partial<ApplicationFailure>;
  const finalTypes: readonly string[] = activityInfo().retryPolicy?.nonRetryableErrorTypes ?? [];
  if (nonRetryable || finalTypes.includes(failure.type)) return { failure, reason: 'non-retryable' as const };
  const waitMs = toRetryDelayMs(currentBackoff(), activityInfo().attempt);
  if (waitMs === null) return { failure, reason: 'attempts-exhausted' as const };
  return { failure, waitMs: Number(nextRetryDelay ?? waitMs) };
}

export type RunItem = ReturnType<typeof createRunItem>;

/** Returns a failure in the same form as `toFailure` in `src/temporal` returns the failure of an activity. */
function toItemFailure(error: unknown): ItemFailure {
  const { type = 'UnexpectedError', message, details } = error instanceof ApplicationFailure ? error : {};
  const isOurs = (failureTypes as readonly string[]).includes(type ?? '');
  const { upstreamStatus } = (details?.[0] ?? {}) as { upstreamStatus?: number };
  return {
    type: type ?? 'UnexpectedError',
    message: isOurs && message ? message : unexpectedMessage,
    ...(upstreamStatus !== undefined && { upstreamStatus }),
  };
}
