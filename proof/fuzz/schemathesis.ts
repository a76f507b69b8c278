import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { createCacheSources, findOnPath, toCachePath } from '../../local/obtain/cache.ts';
import { type Obtain, obtainFirstWorking } from '../../local/obtain/first-working.ts';
import { runStep } from '../../local/obtain/run-step.ts';

const version = '4.32.5';
const executable = 'schemathesis';
const requirements = fileURLToPath(new URL('requirements.txt', import.meta.url));

/** pip's own scripts contain the path of their directory and fail once it has moved. This script does not fail then. */
const wrapper = `#!/bin/sh
exec "\${0%/*}/venv/bin/python" -m schemathesis.cli "$@"
`;

/** Resolves with name and version. Rejects if `path` has another version than ours, as the checks may differ. */
async function checkSchemathesis(path: string): Promise<string> {
  const { stdout } = await execa(path, ['--version'], { timeout: 60_000, stdin: 'ignore' });
  if (!stdout.endsWith(`version ${version}`)) throw new Error(`${path} --version says "${stdout.slice(0, 80)}"`);
  return `schemathesis ${version}`;
}

async function installWithPip(directory: string, { say, signal }: Obtain) {
  const python = await findOnPath('python3');
  if (!python) throw new Error('python3 is not on PATH');
  const venv = join(directory, 'venv');
  const describe = (_: number, line: string) => `Schemathesis: installing${line && `, now ${line}`}`;
  await runStep(python, ['-m', 'venv', venv], { say, signal, describe });
  const install = ['-m', 'pip', 'install', '--no-input', '--disable-pip-version-check', '--requirement', requirements];
  await runStep(join(venv, 'bin', 'python'), install, { say, signal, describe });
  await writeFile(join(directory, executable), wrapper);
  await chmod(join(directory, executable), 0o755);
}

/**
 * Returns the path of a `schemathesis` of the required version. If `SCHEMATHESIS_PATH` is set, tries only that path.
 * Otherwise tries PATH, our cache, and an installation with pip into the cache, in this order.
 * @throws {SetupError} naming what to install, if none of these works.
 */
export async function obtainSchemathesis(options: Obtain): Promise<string> {
  const entry = toCachePath('schemathesis', version);
  const { cached, filled } = createCacheSources(entry, executable, checkSchemathesis);
  return await obtainFirstWorking(
    {
      what: 'Schemathesis',
      variable: 'SCHEMATHESIS_PATH',
      check: checkSchemathesis,
      sources: [
        { name: 'PATH', find: () => findOnPath(executable) },
        cached,
        filled('pip install', (directory) => installWithPip(directory, options)),
      ],
      advice:
        'Install Python 3.10 or newer with venv (on Debian `apt-get install python3-venv`), or set SCHEMATHESIS_PATH to a schemathesis of that version.',
    },
    options,
  );
}
