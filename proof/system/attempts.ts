import { toPercentiles } from '../../cli/measurement.ts';
import { type LedgerEntry, toGapsMs } from '../../local/joke-api/ledger.ts';
import type { Task } from '../../src/api/views/schemas.ts';
import { type Policy, toWaitMs } from '../../src/policy.ts';
import { expectThat, type Tools } from '../checks/check.ts';
import { earlyMs } from './calls.ts';

/**
 * An attempt may start up to this long after the policy's longest wait, because all slots of the workers may be taken
 * when the attempt is due. An attempt that starts even later does not follow the policy.
 */
export const lateMs = 5_000;
/** For each attempt number, the median lateness of all tasks' waits after that attempt must be at most this. */
const usuallyLateMs = 800;
/** A wait that is shorter than this still takes about a second, because Temporal's timers are not finer. */
const shortestTimerMs = 1_000;
/** The median lateness of fewer waits than this is not checked. */
const fewest = 5;

/**
 * A measured wait. `after` is the number of the failed attempt before the wait. `lateMs` is the time by which the wait
 * exceeds the policy's longest wait after that attempt (jitter included), or `shortestTimerMs` if this is longer.
 */
export type Wait = { after: number; gapMs: number; lateMs: number };

/**
 * Compares one task's calls with the policy, and returns its waits.
 * @throws {CheckFailure} if an attempt, a wait or the task's end does not follow the policy.
 */
export function checkAttempts(task: Task, calls: LedgerEntry[], policy: Policy): Wait[] {
  const { id, status, attempt, failure } = task;
  const numbers = calls.map((call) => call.attempt);
  expectThat(
    numbers.every((number, index) => number === index + 1),
    `Task ${id} called the upstream as attempts ${numbers.join(', ')}`,
  );
  expectThat(calls.length === attempt, `Task ${id} says attempt ${attempt}, the upstream saw ${calls.length} calls`);
  expectThat(calls.length <= policy.maximumAttempts, `Task ${id} made ${calls.length} attempts`);
  const last = calls.at(-1)?.status;
  if (last === 200) expectThat(status === 'completed', `Task ${id} got its joke, but is ${status}`);
  else
    expectThat(
      status === 'failed' && failure?.reason === 'attempts-exhausted' && calls.length === policy.maximumAttempts,
      `Task ${id} ended ${status} (${failure?.reason}) after ${calls.length} attempts, the last answered ${last}`,
    );
  return toGapsMs(calls).map((gap, index) => {
    const wait = toWaitMs(policy, index + 1) ?? Number.NaN;
    const longest = Math.min(wait * (1 + policy.jitter), policy.maximumIntervalMs);
    expectThat(
      gap >= wait - earlyMs && gap <= longest + lateMs,
      `Task ${id} waited ${Math.round(gap)} ms after attempt ${index + 1}; the policy says ${wait} ms`,
    );
    return { after: index + 1, gapMs: gap, lateMs: Math.max(0, gap - Math.max(longest, shortestTimerMs)) };
  });
}

/**
 * Prints, for each attempt number, the policy's wait after that attempt, and the median and the longest measured wait.
 * @throws {CheckFailure} if a median lateness exceeds `usuallyLateMs`.
 */
export function checkUsualWaits(waits: Wait[], policy: Policy, say: Tools['say']) {
  for (let after = 1; after < policy.maximumAttempts; after += 1) {
    const those = waits.filter((wait) => wait.after === after);
    if (those.length === 0) continue;
    const { p50: gapMs, max } = toPercentiles(those.map((wait) => wait.gapMs));
    const usual = toPercentiles(those.map((wait) => wait.lateMs)).p50;
    const wait = toWaitMs(policy, after);
    say(`  After attempt ${after}: policy ${wait} ms, median ${gapMs} ms, longest ${max} ms (${those.length} waits)`);
    expectThat(
      those.length < fewest || usual <= usuallyLateMs,
      `The usual wait after attempt ${after} was ${gapMs} ms; the policy says ${wait} ms`,
    );
  }
}
