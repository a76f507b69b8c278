import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from '../cli/setup-error.ts';

/** One breakage: `from` stands exactly once in `file`. */
export type Mutation = { file: string; from: string; to: string };

/**
 * Breaks one thing in a copy of the project.
 * @throws {SetupError} when `from` does not stand exactly once in `file`, so that no mutant silently stops being one.
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
