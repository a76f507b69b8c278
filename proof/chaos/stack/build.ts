import { cpSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { nodeArguments } from '../../../cli/node-arguments.ts';
import { SetupError } from '../../../cli/setup-error.ts';
import { type Mutation, mutate } from '../../mutate.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const parts = ['src', 'scripts/build.ts', 'package.json', 'tsconfig.json', 'tsconfig.build.json'];

/**
 * Runs `npm run build` in a copy of the project with `mutations`, and returns the path of its `dist/`. The stack runs
 * built processes, because they start in half a second.
 * @throws {SetupError} if the project does not build.
 */
export async function buildCopy(directory: string, mutations: Mutation[], signal: AbortSignal): Promise<string> {
  for (const part of parts) cpSync(join(root, part), join(directory, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
  for (const mutation of mutations) mutate(directory, mutation);
  // The build runs in its own process group, so that `kill` also reaches the compiler, which is a child of the script.
  const build = execa(process.execPath, nodeArguments(join(directory, 'scripts/build.ts')), {
    cwd: directory,
    stdin: 'ignore',
    all: true,
    reject: false,
    detached: true,
  });
  const kill = () => build.pid !== undefined && process.kill(-build.pid, 'SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  const { exitCode, all } = await build;
  signal.removeEventListener('abort', kill);
  signal.throwIfAborted();
  if (exitCode !== 0) throw new SetupError(`The project does not build:\n${all}`);
  return join(directory, 'dist');
}
