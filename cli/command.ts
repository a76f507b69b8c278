import { setMaxListeners } from 'node:events';
import { Command, InvalidArgumentError } from 'commander';
import { createEnding } from './ending.ts';

/**
 * A command that people call as `npm run <name> -- …`: `--help`, and for an unknown flag one line with a suggestion and
 * exit code 2. Subcommands made with `.command()` behave alike.
 */
export function createCommand(name: string, description: string): Command {
  return new Command(`npm run ${name} --`)
    .description(description)
    .helpOption('--help', 'show this')
    .allowExcessArguments(false)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
}

/** An argument parser for whole numbers from `min` to `max`. */
export const wholeNumber = (min: number, max: number) => (text: string) => {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
};

/** An argument parser for numbers from `min` to `max`. */
export const decimalNumber = (min: number, max: number) => (text: string) => {
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && value >= min && value <= max) return value;
  throw new InvalidArgumentError(`It must be a number from ${min} to ${max}.`);
};

/**
 * Runs a command to its exit. `work` gives the exit code; on Ctrl-C `signal` aborts, `work` puts in order what it began
 * and the exit code is 130; a second Ctrl-C ends at once. A `SetupError` is shown as its message, a bug with its stack.
 */
export async function runCommand(work: (signal: AbortSignal) => Promise<number>): Promise<never> {
  const ending = createEnding((line) => console.error(line));
  ending.forced.addEventListener('abort', ending.exit);
  // Every request of a load hangs on it.
  setMaxListeners(0, ending.asked);
  try {
    ending.end(await work(ending.asked));
  } catch (error) {
    ending.fail(error);
  }
  return ending.exit();
}
