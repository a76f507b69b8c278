import type { Say } from '../../cli/progress.ts';
import type { Stack, StackOptions } from '../../local/stack/start-stack.ts';
import { withStack } from '../../local/stack/with-stack.ts';

type Variables = Record<string, string>;

/** What a scenario runs on: its own stacks. With `fast`, the times of the scenario are scaled down. */
export type Scene = {
  fast: boolean;
  stackOptions: StackOptions;
  /** Environment variables of every stack, in addition to the scenario's own. */
  variables: Variables;
  /** Runs `work` against a fresh stack with these variables, then stops the stack. */
  withStack<T>(variables: Variables, work: (stack: Stack) => Promise<T>): Promise<T>;
};

type Options = { fast: boolean; verbose: boolean; say: Say; signal: AbortSignal };

/** Creates the scene. With `verbose`, the log of its stacks goes to stderr. */
export function createScene({ fast, verbose, say, signal }: Options): Scene {
  const printed = new Set<string>();
  /** Prints each line only once. Otherwise every stack would print again where its Temporal comes from. */
  const sayOnce = (line: string) => {
    if (!printed.has(line)) say(line);
    printed.add(line);
  };
  const listen = verbose ? (words: string) => void process.stderr.write(words) : () => {};
  const stackOptions = { say: sayOnce, signal, listen };
  // A hanging attempt must not delay the end of a failed or interrupted scenario by the default grace of 30 s.
  const variables = { SHUTDOWN_GRACE: '1', LOG_LEVEL: verbose ? 'info' : 'warn' };
  return {
    fast,
    stackOptions,
    variables,
    withStack: (more, work) => withStack(stackOptions, { ...variables, ...more }, work),
  };
}

/** Formats variables as `BASE_DELAY=2 MAX_ATTEMPTS=6`. */
export const toText = (variables: Variables) =>
  Object.entries(variables)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');

/** Formats variables with `toText`. If `--fast` scaled them down, adds the full values. */
export const toSetUp = (variables: Variables, { fast }: Pick<Scene, 'fast'>, inFull: Variables) =>
  fast ? `${toText(variables)} (scaled down by --fast from ${toText(inFull)})` : toText(variables);
