import { asyncLocalStorage, Context, type Info } from '@temporalio/activity';

/**
 * Runs `work` as an attempt whose context differs from the current activity in `info` and `signal`. Code of a single
 * attempt cannot tell the difference: `activityInfo()` and `cancellationSignal()` return the values of this attempt.
 */
export function withAttempt<T>(info: Partial<Info>, work: () => T, signal?: AbortSignal): T {
  const current = Context.current();
  const attempt: Context = Object.create(current, {
    info: { value: { ...current.info, ...info } },
    ...(signal && { cancellationSignal: { value: signal } }),
  });
  return asyncLocalStorage.run(attempt, work);
}
