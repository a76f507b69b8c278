import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SetupError } from '../../cli/setup-error.ts';
import type { Obtain } from '../../local/obtain/first-working.ts';
import { toOneLine } from '../../local/obtain/first-working.ts';
import { runStep } from '../../local/obtain/run-step.ts';

const folder = fileURLToPath(new URL('..', import.meta.url));
const readJson = async (...path: string[]) => JSON.parse(await readFile(join(folder, ...path), 'utf8'));

/** Returns the installed version of a peer's package, or undefined. */
export const readVersion = (name: string): Promise<string | undefined> =>
  readJson('node_modules', name, 'package.json').then(
    ({ version }) => version,
    () => undefined,
  );

async function isComplete(): Promise<boolean> {
  const { dependencies } = await readJson('package.json');
  const found = await Promise.all(
    Object.entries(dependencies).map(async ([name, version]) => (await readVersion(name)) === version),
  );
  return found.every(Boolean);
}

let installing: Promise<void> | undefined;

async function install({ say, signal }: Omit<Obtain, 'explicitPath'>) {
  if (await isComplete()) return;
  const describe = (_: number, line: string) => `Peers: npm ci in bench${line && `, now ${line}`}`;
  say('Peers: installing their packages with npm ci in bench');
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  await runStep('npm', args, { say, signal, cwd: folder, describe }).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw new SetupError(`the packages of bench/ are not installed (${toOneLine(error)}): run npm ci --prefix bench`);
  });
}

/**
 * Installs exactly the packages of `bench/package.json` in `bench/node_modules`, once per process.
 * @throws {SetupError} if the installation fails. The message names the command that installs them.
 */
export async function obtainPackages(options: Omit<Obtain, 'explicitPath'>): Promise<void> {
  installing ??= install(options);
  await installing;
}
