import { setMaxListeners } from 'node:events';
import { Command, InvalidArgumentError } from 'commander';
import { createEnding, type Ending } from './ending.ts';

/**
 * Creates a command that is called as `npm run <name> -- …`. It has `--help`. A wrong flag gets one line, with a suggestion
 * where there is one, and exit code 2. Subcommands made with `.command()` behave alike.
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
 * Runs a command and exits with the code that `work` returns. On Ctrl-C `signal` aborts, `work` cleans up, and the exit code
 * is 130. A second Ctrl-C exits at once, or calls what `work` passed to `ending.onForced`. `SetupError` and `ConfigError`
 * are shown as their message, any other error with its stack.
 *
 * `say` writes the notices about stopping. They go to stderr by default, because stdout may be read by a program.
 */
export async function runCommand(
  work: (signal: AbortSignal, ending: Ending) => Promise<number>,
  { say = (line: string) => console.error(line) } = {},
): Promise<never> {
  const ending = createEnding(say);
  // Every request of a load test listens to this signal.
  setMaxListeners(0, ending.asked);
  try {
    ending.end(await work(ending.asked, ending));
  } catch (error) {
    ending.fail(error);
  }
  return ending.exit();
}
