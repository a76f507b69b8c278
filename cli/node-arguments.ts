import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

// V8 keeps up to three times this size per thread for new objects, and a process with tsx has several threads.
const smallMiB = 1;

/** The size for a worker. With `smallMiB`, a batch completes a quarter fewer items per second. */
export const workerMiB = 4;

/**
 * Returns arguments with which `node` runs a TypeScript file, from any working directory. The file runs in the `node`
 * process itself. The `tsx` command would run it in a child process, which would survive a kill -9 of its parent.
 * `semiSpaceMiB` limits the memory for new objects. Small heaps cost time, so only a worker gets more.
 */
export const nodeArguments = (script: string, semiSpaceMiB = smallMiB) => [
  `--max-semi-space-size=${semiSpaceMiB}`,
  // Otherwise a heap can grow to four times what the last garbage collection left, not 1.3 times.
  '--heap-growing-percent=30',
  '--import',
  tsx,
  script,
];
