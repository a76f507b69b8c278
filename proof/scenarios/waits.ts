import type { Say } from '../../cli/progress.ts';
import { type Span, toGapsMs } from '../../local/joke-api/ledger.ts';
import { expectThat } from '../checks/check.ts';
import { earlyMs } from '../system/calls.ts';

/** On a busy machine, an attempt may start up to this much later than the policy says. */
const laterSeconds = 1;

/** Returns whether a measured wait matches the expected one within the tolerances. Both are in seconds. */
export const holdsWait = (measured: number, expected: number) =>
  measured >= expected - earlyMs / 1_000 && measured <= expected + laterSeconds;

/** Returns the seconds from the end of each upstream call to the start of the next, as the upstream saw them. */
export const toWaitsSeconds = (calls: Span[]) => toGapsMs(calls).map((gapMs) => gapMs / 1_000);

/**
 * Prints measured waits beside the expected ones. Both are in seconds.
 * @throws {CheckFailure} for the first wait that is not as expected, or for too many waits.
 */
export function expectWaits(measured: number[], expected: readonly number[], say: Say): void {
  say('  after attempt   expected   measured   difference');
  for (const [index, wait] of measured.entries()) {
    const due = expected[index] ?? Number.NaN;
    const difference = `${wait < due ? '' : '+'}${(wait - due).toFixed(3)} s`;
    say(
      `  ${String(index + 1).padStart(13)} ${`${due.toFixed(1)} s`.padStart(10)} ${`${wait.toFixed(2)} s`.padStart(10)} ${difference.padStart(12)}`,
    );
  }
  for (const [index, due] of expected.entries()) {
    const wait = measured[index];
    expectThat(wait !== undefined, `There was no wait after attempt ${index + 1}: the pattern says ${due} s`);
    expectThat(holdsWait(wait, due), `The wait after attempt ${index + 1} was ${wait.toFixed(2)} s, not ${due} s`);
  }
  expectThat(measured.length === expected.length, `${measured.length} waits, not ${expected.length}`);
}
