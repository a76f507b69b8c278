import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

// Without the first, V8 keeps up to 48 MiB per thread for new objects, and a process with tsx has several threads.
// Without the second, a heap can grow to four times what the last garbage collection left, not 1.3 times.
const smallHeaps = ['--max-semi-space-size=1', '--heap-growing-percent=30'];

/**
 * Returns arguments with which `node` runs a TypeScript file, from any working directory. The file runs in the `node`
 * process itself. The `tsx` command would run it in a child process, which would survive a kill -9 of its parent.
 */
export const nodeArguments = (script: string) => [...smallHeaps, '--import', tsx, script];
