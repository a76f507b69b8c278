import type { Say } from '../../cli/progress.ts';

/** What a check sees of the run it is part of. */
export type Tools = {
  /** Prints a line of evidence. */
  say: Say;
  /** A progress bar on a terminal, a plain line now and then elsewhere. */
  progress(text: string, done: number, total: number): void;
  /** Aborts on Ctrl-C. */
  signal: AbortSignal;
};

/** One numbered test of a suite. `run` gives the sentence of what was proved and throws a `CheckFailure` if it was not. */
export type Check<Context> = {
  title: string;
  run(context: Context, tools: Tools): Promise<string>;
  /** Why this check cannot be run against `context`; it then counts as not passed. */
  unavailable?(context: Context): string | undefined;
};

export type Verdict = {
  title: string;
  status: 'passed' | 'failed' | 'not-run';
  /** What was proved, what failed, or why it was not run. */
  detail: string;
  seconds: number;
};

/** The system under test is not as it should be: the message says what was expected and what was seen. */
export class CheckFailure extends Error {
  override name = 'CheckFailure';
}

/** @throws {CheckFailure} with `message`, unless `holds`. */
export function expectThat(holds: boolean, message: string): asserts holds {
  if (!holds) throw new CheckFailure(message);
}
