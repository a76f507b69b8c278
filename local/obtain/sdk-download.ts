import { readdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { nodeArguments } from '../../cli/node-arguments.ts';
import { createProgress, type Say } from '../../cli/progress.ts';
import { toOneLine } from './first-working.ts';

const script = fileURLToPath(new URL('./sdk-download-child.ts', import.meta.url));

// A firewall that drops packets must not delay the next source for minutes.
const stallMs = 20_000;

type Download = { kind: 'dev-server' | 'time-skipping'; version: string; say: Say; signal?: AbortSignal | undefined };

async function readSize(directory: string) {
  const sizes = (await readdir(directory)).map((name) => stat(join(directory, name)).then(({ size }) => size));
  return (await Promise.all(sizes.map((size) => size.catch(() => 0)))).reduce((sum, size) => sum + size, 0);
}

/**
 * Lets the SDK download its official server into `directory`, as `executable`. This needs a process of its own: the
 * SDK's native runtime takes over signal handlers, and only ending the process stops a stalled download.
 */
export async function downloadThroughSdk(
  directory: string,
  executable: string,
  { kind, version, say, signal }: Download,
) {
  say(`Trying the official download of ${executable} ${version} from temporal.download`);
  const progress = createProgress(say);
  const stalled = new AbortController();
  let size = 0;
  let grownAt = performance.now();
  const tick = setInterval(async () => {
    const now = await readSize(directory).catch(() => size);
    if (now > size) grownAt = performance.now();
    size = now;
    progress.update(`downloading ${version} from temporal.download: ${(size / 1e6).toFixed(0)} MB`);
    if (performance.now() - grownAt > stallMs) stalled.abort();
  }, 1_000);
  try {
    const result = await execa(process.execPath, [...nodeArguments(script), kind, directory, version], {
      reject: false,
      stdin: 'ignore',
      cancelSignal: signal ? AbortSignal.any([signal, stalled.signal]) : stalled.signal,
    });
    signal?.throwIfAborted();
    if (stalled.signal.aborted) throw new Error(`nothing arrived for ${stallMs / 1_000} s`);
    // The SDK also fails when a downloaded server starts slowly. Our own check decides about that one.
    const name = (await readdir(directory)).find((file) => !file.endsWith('.downloading'));
    if (!name) throw new Error(toOneLine(result.stderr));
    await rename(join(directory, name), join(directory, executable));
  } finally {
    clearInterval(tick);
    progress.end();
  }
}
