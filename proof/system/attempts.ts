import { toPercentiles } from '../../cli/measurement.ts';
import { type LedgerEntry, toGapsMs } from '../../local/joke-api/ledger.ts';
import type { Task } from '../../src/api/views/schemas.ts';
import { type Policy, toWaitMs } from '../../src/policy.ts';
import { expectThat, type Tools } from '../checks/check.ts';
import { earlyMs } from './calls.ts';

/**
 * An attempt may start up to this late, because all slots may be taken when it is due. If it starts even later, it
 * does not follow the policy.
 */
export const lateMs = 5_000;
/** The median retry after an attempt must be at most this late. */
const usuallyLateMs = 800;
/** The server's timers take about a second for any shorter wait. */
const shortestTimerMs = 1_000;
/** The minimum number of waits for a median. */
const fewest = 5;

/**
 * A measured wait. `after` is the number of the failed attempt before it. `lateMs` is the time by which the wait
 * exceeds the policy's longest wait.
 */
export type Wait = { after: number; gapMs: number; lateMs: number };

/**
 * Compares one task's calls with the policy, and returns its waits.
 * @throws {CheckFailure} if an attempt, a wait or the end does not follow the policy.
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
 * Prints the waits after each attempt beside the policy's.
 * @throws {CheckFailure} if a median wait is too late.
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
