import { resolve } from 'node:path';
import type { Say } from '../../cli/progress.ts';
import { SetupError } from '../../cli/setup-error.ts';
import { isExecutable } from './cache.ts';

/** The options of `obtain…` functions. If an environment variable sets `explicitPath`, only that path is tried. */
export type Obtain = { explicitPath: string | undefined; say: Say; signal?: AbortSignal };

type Source = {
  name: string;
  /** Resolves with the executable's path, or undefined if this source has none. */
  find: () => Promise<string | undefined>;
};

type Wanted = {
  what: string;
  /** The environment variable that sets `explicitPath`, if there is such a variable. */
  variable?: string;
  sources: Source[];
  /** Runs the executable. Resolves with a text such as its version. Rejects if it does not work. */
  check: (path: string) => Promise<string>;
  advice: string;
};

/** Returns the error's message on one line. A long message becomes `…` and its last 200 characters. */
export const toOneLine = (error: unknown) => {
  const text = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ').trim();
  return text.length > 200 ? `…${text.slice(-200)}` : text;
};

async function checkExplicit({ what, variable, check }: Wanted, explicitPath: string, say: Say) {
  const path = resolve(explicitPath);
  if (!(await isExecutable(path)))
    throw new SetupError(
      `${variable}=${explicitPath} is not an executable file. Correct it, or unset it so that Holdfast looks for one.`,
    );
  const found = await check(path).catch((error: unknown) => {
    throw new SetupError(
      `${variable}=${explicitPath} does not work: ${toOneLine(error)}. Correct it, or unset it so that Holdfast looks for one.`,
    );
  });
  say(`${what}: ${found}, from ${variable}`);
  return path;
}

/**
 * Returns the path of the first executable that works. If `explicitPath` is set, tries only that. Otherwise tries the
 * sources in order. Prints the result of each source with `say`.
 * @throws {SetupError} if `explicitPath` does not work (the message says how to correct it), or if no source works
 *   (the message says what to install).
 */
export async function obtainFirstWorking(wanted: Wanted, { explicitPath, say, signal }: Obtain): Promise<string> {
  const { what, sources, check, advice } = wanted;
  if (explicitPath !== undefined) return await checkExplicit(wanted, explicitPath, say);
  for (const { name, find } of sources) {
    signal?.throwIfAborted();
    try {
      const path = await find();
      if (path) {
        say(`${what}: ${await check(path)}, from ${name} (${path})`);
        return path;
      }
      say(`${what}: none in ${name}`);
    } catch (error) {
      signal?.throwIfAborted();
      say(`${what}: ${name} failed: ${toOneLine(error)}`);
    }
  }
  throw new SetupError(`${what}: none found, and none could be installed. ${advice}`);
}
