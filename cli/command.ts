import { setMaxListeners } from 'node:events';
import { Command, InvalidArgumentError } from 'commander';
import { createEnding, type Ending } from './ending.ts';

/**
 * Creates a command for `npm run <name> -- …`, with a `--help` flag. For a wrong flag, the command prints one line,
 * with a suggestion if there is one, and exits with code 2. Subcommands made with `.command()` do the same.
 */
export function createCommand(name: string, description: string): Command {
  return new Command(`npm run ${name} --`)
    .description(description)
    .helpOption('--help', 'show this help')
    .allowExcessArguments(false)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
}

/** Returns an argument parser for whole numbers from `min` to `max`. */
export const wholeNumber = (min: number, max: number) => (text: string) => {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
};

/** Returns an argument parser for numbers from `min` to `max`. */
export const decimalNumber = (min: number, max: number) => (text: string) => {
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && value >= min && value <= max) return value;
  throw new InvalidArgumentError(`It must be a number from ${min} to ${max}.`);
};

/**
 * Runs a command and exits with the code that `work` returns. On Ctrl-C, `signal` aborts, `work` cleans up, and the
 * exit code is 130. A second Ctrl-C calls the function that `work` passed to `ending.onForced`. Without such a
 * function, the process exits immediately. If `work` throws a `SetupError` or `ConfigError`, only the error's message
 * is printed. Any other error is printed with its stack. `say` prints the notices about stopping. By default, these
 * notices go to stderr, because a program may read stdout.
 */
export async function runCommand(
  work: (signal: AbortSignal, ending: Ending) => Promise<number>,
  { say = (line: string) => console.error(line) } = {},
): Promise<never> {
  const ending = createEnding(say);
  // Every request of a load test listens to this signal. By default Node would warn about so many listeners.
  setMaxListeners(0, ending.asked);
  try {
    ending.end(await work(ending.asked, ending));
  } catch (error) {
    ending.fail(error);
  }
  return ending.exit();
}
