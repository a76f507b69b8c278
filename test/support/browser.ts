import { execFile } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { inflate } from '@sparticuz/chromium';
import { type Browser, chromium } from 'playwright-core';
import { inject } from 'vitest';
import type { Say } from '../../cli/progress.ts';
import { fillCache, findOnPath, isExecutable, toCachePath } from '../../local/obtain/cache.ts';
import { obtainFirstWorking } from '../../local/obtain/first-working.ts';

const { resolve } = createRequire(import.meta.url);
const run = promisify(execFile);

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const macPlaces = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/** Runs the unpacked browser with the libraries and the font that came with it, where the machine has none. */
const launcher = `#!/bin/sh
directory=\${0%/*}
export LD_LIBRARY_PATH="$directory/al2023/lib"
[ -e /etc/fonts/fonts.conf ] || export FONTCONFIG_FILE="$directory/fonts.conf"
exec "$directory/chromium" --no-sandbox "$@"
`;
const toFontsConfig = (directory: string) =>
  `<?xml version="1.0"?><fontconfig><dir>${directory}/fonts</dir><cachedir>${directory}/cache</cachedir></fontconfig>\n`;

async function check(path: string): Promise<string> {
  const { stdout } = await run(path, ['--version'], { timeout: 30_000 });
  if (!/chrom/i.test(stdout)) throw new Error(`it is not Chromium: ${stdout}`);
  return stdout.trim();
}

async function findInstalled(): Promise<string | undefined> {
  for (const name of names) {
    const path = await findOnPath(name);
    if (path) return path;
  }
  return macPlaces.find(existsSync);
}

/** Unpacks the npm package into the cache. The package always unpacks into the directory for temporary files. */
async function unpackFromNpm(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  const archives = join(dirname(resolve('@sparticuz/chromium')), '..', 'bin');
  const { version } = createRequire(import.meta.url)(join(archives, '..', 'package.json'));
  const entry = toCachePath('chromium', version);
  const path = join(entry, 'launch');
  if (await isExecutable(path)) return path;
  await fillCache(entry, {
    fill: async (directory) => {
      const before = process.env.TMPDIR;
      process.env.TMPDIR = directory;
      const unpacked = ['chromium.br', 'fonts.tar.br', 'swiftshader.tar.br', 'al2023.tar.br'].map((archive) =>
        inflate(join(archives, archive)),
      );
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
      await Promise.all(unpacked);
      writeFileSync(join(directory, 'fonts.conf'), toFontsConfig(entry));
      writeFileSync(join(directory, 'launch'), launcher, { mode: 0o755 });
    },
    check: (directory) => check(join(directory, 'launch')),
  });
  return path;
}

/** Playwright's own build. Downloads it when it is missing. */
async function downloadWithPlaywright(): Promise<string> {
  const path = chromium.executablePath();
  if (!existsSync(path)) {
    const cli = join(dirname(resolve('playwright-core')), 'cli.js');
    await run(process.execPath, [cli, 'install', 'chromium', '--no-shell'], { timeout: 600_000 });
  }
  return path;
}

const defaultSources = [
  { name: 'PATH', find: findInstalled },
  { name: '@sparticuz/chromium', find: unpackFromNpm },
  { name: "Playwright's download", find: downloadWithPlaywright },
];

/**
 * Returns the path of the first browser that works, and says which one it is.
 * @throws {SetupError} with what to install.
 */
export const obtainBrowser = (say: Say, sources = defaultSources) =>
  obtainFirstWorking(
    {
      what: 'Browser',
      variable: '',
      sources,
      check,
      advice: `Put ${names.join(' or ')} on PATH, on Debian with \`apt-get install chromium\`.`,
    },
    { explicitPath: undefined, say },
  );

/** Starts the browser that global-setup.ts obtained. Chromium's sandbox refuses to run as root. */
export function startBrowser(): Promise<Browser> {
  const { path, fault } = inject('browser');
  if (path === undefined) throw new Error(fault);
  const asRoot = process.getuid?.() === 0;
  return chromium.launch({ executablePath: path, ...(asRoot && { args: ['--no-sandbox'] }) });
}
