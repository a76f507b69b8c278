import { asyncLocalStorage, Context, cancellationSignal, type Info } from '@temporalio/activity';

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

/**
 * Runs `work` with a signal that aborts after `deadlineMs`, or as soon as the current attempt is cancelled.
 *
 * Leaves no timer and no listener behind. `AbortSignal.timeout` and `AbortSignal.any` keep theirs until a full garbage
 * collection, so each call of the last minutes would take memory.
 */
export async function withDeadline<T>(deadlineMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const abort = () => controller.abort();
  const cancelled = cancellationSignal();
  const timer = setTimeout(abort, deadlineMs);
  cancelled.addEventListener('abort', abort);
  if (cancelled.aborted) abort();
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    cancelled.removeEventListener('abort', abort);
  }
}
