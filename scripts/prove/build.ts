import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { SetupError } from '../setup-error.ts';

/** One breakage: `from` stands exactly once in `file`. */
export type Mutation = { file: string; from: string; to: string };

const root = fileURLToPath(new URL('../..', import.meta.url));
const parts = ['src', 'scripts/build.ts', 'package.json', 'tsconfig.json', 'tsconfig.build.json'];

/** @throws {SetupError} when `from` does not stand exactly once in `file`, so that no mutant silently stops being one. */
function mutate(directory: string, { file, from, to }: Mutation) {
  const path = join(directory, file);
  const text = readFileSync(path, 'utf8');
  const found = text.split(from).length - 1;
  if (found !== 1)
    throw new SetupError(
      `${JSON.stringify(from)} stands ${found} times in ${file}: bring scripts/prove/mutants.ts up to date.`,
    );
  writeFileSync(
    path,
    text.replace(from, () => to),
  );
}

/** `npm run build` in a copy of the project, with `mutations`; gives the copy's `dist/`. Processes start from there in half a second. */
export async function buildCopy(directory: string, mutations: Mutation[], signal: AbortSignal): Promise<string> {
  for (const part of parts) cpSync(join(root, part), join(directory, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
  for (const mutation of mutations) mutate(directory, mutation);
  const { exitCode, all } = await execa('npm', ['run', '--silent', 'build'], {
    cwd: directory,
    stdin: 'ignore',
    all: true,
    reject: false,
    cancelSignal: signal,
  });
  signal.throwIfAborted();
  if (exitCode !== 0) throw new SetupError(`The project does not build:\n${all}`);
  return join(directory, 'dist');
}
