import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const macPlaces = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Where Chromium or Chrome is installed; throws with what to do when it is not: a test without it must fail, not be skipped. */
export function findChromium(path = process.env.PATH ?? '', elsewhere = macPlaces): string {
  const onPath = path.split(delimiter).flatMap((directory) => names.map((name) => join(directory, name)));
  const found = [...onPath, ...elsewhere].find(isExecutable);
  if (found !== undefined) return found;
  throw new Error(`No ${names.join(', ')} on PATH: install one, on Debian with \`apt-get install chromium\`.`);
}

/** Starts the browser that this machine has. Chromium's sandbox refuses to run as root. */
export function startBrowser(): Promise<Browser> {
  const asRoot = process.getuid?.() === 0;
  return chromium.launch({ executablePath: findChromium(), ...(asRoot && { args: ['--no-sandbox'] }) });
}
