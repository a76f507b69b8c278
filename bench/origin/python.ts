import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { SetupError } from '../../cli/setup-error.ts';
import { fillCache, findOnPath, isExecutable, toCachePath } from '../../local/obtain/cache.ts';
import { toOneLine } from '../../local/obtain/first-working.ts';
import { runStep } from '../../local/obtain/run-step.ts';
import type { Scene } from '../contender.ts';

const requirements = fileURLToPath(new URL('requirements.txt', import.meta.url));
const advice = 'The old stack needs Python 3.11+ with venv and access to PyPI. On Debian: apt-get install python3-venv';

/**
 * Returns the path of Python in a cached virtual environment that has exactly the packages of `requirements.txt`.
 * Creates the environment with pip if it is missing. Start installed programs with `python -m`. The scripts that pip
 * creates do not work, because they contain the path that the environment has before `fillCache` renames its directory.
 * @throws {SetupError} if Python is missing or an installation step fails. The message says what is needed.
 */
export async function obtainPython({ say, signal }: Pick<Scene, 'say' | 'signal'>): Promise<string> {
  const digest = createHash('sha256').update(await readFile(requirements));
  const entry = toCachePath('bench-origin', digest.digest('hex').slice(0, 16));
  const python = join(entry, 'venv', 'bin', 'python');
  if (await isExecutable(python)) return python;
  const system = await findOnPath('python3');
  if (!system) throw new SetupError(`no python3 on PATH. ${advice}`);

  const describe = (_: number, line: string) => `Old stack: installing${line && `, now ${line}`}`;
  say('Old stack: installing FastAPI and Procrastinate with pip');
  const fill = async (directory: string) => {
    const venv = join(directory, 'venv');
    await runStep(system, ['-m', 'venv', venv], { say, signal, describe });
    const install = [
      '-m',
      'pip',
      'install',
      '--no-input',
      '--disable-pip-version-check',
      '--requirement',
      requirements,
    ];
    await runStep(join(venv, 'bin', 'python'), install, { say, signal, describe });
  };
  const check = (directory: string) =>
    execa(join(directory, 'venv', 'bin', 'python'), ['-c', 'import fastapi, httpx, procrastinate, psycopg, uvicorn']);
  await fillCache(entry, { fill, check }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw new SetupError(`${toOneLine(error)}. ${advice}`);
  });
  return python;
}

/** Returns the versions of the main packages and of Python, each in the form `FastAPI 0.165.0`. */
export async function readPythonVersions(python: string): Promise<string[]> {
  const script = `
import importlib.metadata, platform
for name in ("FastAPI", "Procrastinate", "uvicorn", "psycopg"): print(name, importlib.metadata.version(name))
print("Python", platform.python_version())`;
  const { stdout } = await execa(python, ['-c', script]);
  return stdout.split('\n');
}
