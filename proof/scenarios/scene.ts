import type { Say } from '../../cli/progress.ts';
import type { Stack } from '../../local/stack/start-stack.ts';
import { type StackOptions, withStack } from '../../local/stack/start-stack.ts';

type Variables = Record<string, string>;

/** Where a scenario plays: in real time or scaled down, on stacks of its own. */
export type Scene = {
  fast: boolean;
  stackOptions: StackOptions;
  /** What every stack of the scene runs with besides what a scenario asks for. */
  variables: Variables;
  /** Runs `work` against a fresh stack with these variables, and stops it whatever happens. */
  withStack<T>(variables: Variables, work: (stack: Stack) => Promise<T>): Promise<T>;
};

type Options = { fast: boolean; verbose: boolean; say: Say; signal: AbortSignal };

/** With `verbose` the stacks' own log goes to stderr. */
export function createScene({ fast, verbose, say, signal }: Options): Scene {
  const said = new Set<string>();
  /** Every stack would tell again where its Temporal comes from. */
  const sayOnce = (line: string) => {
    if (!said.has(line)) say(line);
    said.add(line);
  };
  const listen = verbose ? (words: string) => void process.stderr.write(words) : () => {};
  const stackOptions = { say: sayOnce, signal, listen };
  // A held attempt must not hold up the end of a failed or interrupted scenario for the usual 30 s.
  const variables = { SHUTDOWN_GRACE: '1', LOG_LEVEL: verbose ? 'info' : 'warn' };
  return {
    fast,
    stackOptions,
    variables,
    withStack: (more, work) => withStack(stackOptions, { ...variables, ...more }, work),
  };
}

/** `BASE_DELAY=2 MAX_ATTEMPTS=6`, with a word on what `--fast` scaled down. */
export function toSetUp(variables: Variables, { fast }: Pick<Scene, 'fast'>, inFull: Variables): string {
  const toText = (some: Variables) =>
    Object.entries(some)
      .map(([name, value]) => `${name}=${value}`)
      .join(' ');
  return fast ? `${toText(variables)} (scaled down by --fast from ${toText(inFull)})` : toText(variables);
}
