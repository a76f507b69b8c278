import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from '../cli/setup-error.ts';

/** A change that breaks something. It replaces `from`, which occurs exactly once in `file`, with `to`. */
export type Mutation = { file: string; from: string; to: string };

/**
 * Applies a mutation to the copy of the project in `directory`.
 * @throws {SetupError} if `from` does not occur exactly once in `file`: such a mutation is out of date, and might break
 *   nothing.
 */
export function mutate(directory: string, { file, from, to }: Mutation) {
  const path = join(directory, file);
  const text = readFileSync(path, 'utf8');
  const found = text.split(from).length - 1;
  if (found !== 1)
    throw new SetupError(`${JSON.stringify(from)} stands ${found} times in ${file}: bring the mutant up to date.`);
  writeFileSync(
    path,
    text.replace(from, () => to),
  );
}
