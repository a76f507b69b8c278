import type { Attempt, FinishedTask } from '../result.ts';

const maximumRows = 40;

/** How a call ended. The timeline has a colour for each. */
export type Kind = 'answered' | 'error' | 'lost';

const toKind = ({ status, outcome }: Attempt): Kind =>
  outcome !== 'answered' || status === null ? 'lost' : status === 200 ? 'answered' : 'error';

/**
 * Returns the wait after each call: the milliseconds from the end of that call to the start of the next. The wait is
 * `null` if the call never ended or was the last one.
 */
export function toMeasuredWaits(attempts: Attempt[]): (number | null)[] {
  return attempts.map(({ endedAtMs }, index) => {
    const next = attempts[index + 1];
    return next === undefined || endedAtMs === null ? null : next.startedAtMs - endedAtMs;
  });
}

/**
 * Returns one row for each task that called the upstream, with times relative to the task's submission. If there are
 * more than `maximumRows` such tasks, returns only those with the most attempts.
 */
export function toTimeline(tasks: FinishedTask[]) {
  const called = tasks.filter(({ attempts }) => attempts.length > 0);
  const shown = called
    .toSorted((a, b) => b.attempts.length - a.attempts.length || a.submittedAtMs - b.submittedAtMs)
    .slice(0, maximumRows);
  return {
    tasks: called.length,
    retried: called.filter(({ attempts }) => attempts.length > 1).length,
    rows: shown.map(({ id, check, status, submittedAtMs, finishedAtMs, attempts }) => {
      const waits = toMeasuredWaits(attempts);
      return {
        id,
        check,
        status,
        endMs: finishedAtMs - submittedAtMs,
        calls: attempts.map((attempt, index) => ({
          attempt: attempt.attempt,
          fromMs: attempt.startedAtMs - submittedAtMs,
          toMs: attempt.endedAtMs === null ? null : attempt.endedAtMs - submittedAtMs,
          status: attempt.status,
          outcome: attempt.outcome,
          kind: toKind(attempt),
          waitMs: waits[index] ?? null,
        })),
      };
    }),
  };
}
