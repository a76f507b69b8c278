import type { Say } from '../../cli/progress.ts';

/** What a suite gives to its checks. */
export type Tools = {
  /** Prints a line of evidence. */
  say: Say;
  /** Shows a progress bar if the output is a terminal. Otherwise prints a plain line now and then. */
  progress(text: string, done: number, total: number): void;
  /** Aborts on Ctrl-C. */
  signal: AbortSignal;
};

/**
 * One test of a suite. `run` returns a sentence that says what was proved, or throws `CheckFailure` if the test fails.
 */
export type Check<Context> = {
  title: string;
  run(context: Context, tools: Tools): Promise<string>;
  /**
   * Returns why this check cannot run against `context`, or undefined if it can. A check that cannot run counts as not
   * passed.
   */
  unavailable?(context: Context): string | undefined;
};

export type Verdict = {
  title: string;
  status: 'passed' | 'failed' | 'not-run';
  /** What was proved, what failed, or why the check was not run. */
  detail: string;
  seconds: number;
};

/** Thrown when the system under test fails a check. The message says what was expected and what was seen. */
export class CheckFailure extends Error {
  override name = 'CheckFailure';
}

/** @throws {CheckFailure} with `message` unless `holds`. */
export function expectThat(holds: boolean, message: string): asserts holds {
  if (!holds) throw new CheckFailure(message);
}
