import { InvalidArgumentError } from 'commander';
import type { Check } from './check.ts';

/** Returns an argument parser for the numbers of checks, such as `1,3`. The parsed numbers are in ascending order. */
export const checkNumbers = (checks: unknown[]) => (text: string) => {
  const numbers = text.split(',').map(Number);
  const isValid = /^\d+(,\d+)*$/.test(text) && numbers.every((number) => number >= 1 && number <= checks.length);
  if (!isValid)
    throw new InvalidArgumentError(`It must be numbers from 1 to ${checks.length}, with commas between them.`);
  if (new Set(numbers).size < numbers.length) throw new InvalidArgumentError('It names a check twice.');
  return numbers.sort((a, b) => a - b);
};

/** Lists the checks with their numbers, for `--help`. */
export const toCheckList = <Context>(checks: Check<Context>[]) =>
  checks.map(({ title }, index) => `  ${index + 1}  ${title}`).join('\n');
