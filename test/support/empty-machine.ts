import { vi } from 'vitest';
import { createDirectory } from './processes.ts';

/** Stubs PATH and the cache with two empty directories, and returns them. `vi.unstubAllEnvs()` undoes it. */
export function stubEmptyMachine() {
  const [bin, cache] = [createDirectory(), createDirectory()];
  vi.stubEnv('PATH', bin);
  vi.stubEnv('XDG_CACHE_HOME', cache);
  return { bin, cache };
}
