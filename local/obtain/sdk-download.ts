import { readdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { nodeArguments } from '../../cli/node-arguments.ts';
import { createProgress, type Say } from '../../cli/progress.ts';
import { toOneLine } from './first-working.ts';

const script = fileURLToPath(new URL('./sdk-download-child.ts', import.meta.url));

// Give up when no data arrives for this long. Otherwise a firewall that drops packets would delay us for minutes.
const stallMs = 20_000;

type Download = { kind: 'dev-server' | 'time-skipping'; version: string; say: Say; signal?: AbortSignal | undefined };

async function readSize(directory: string) {
  const sizes = (await readdir(directory)).map((name) => stat(join(directory, name)).then(({ size }) => size));
  return (await Promise.all(sizes.map((size) => size.catch(() => 0)))).reduce((sum, size) => sum + size, 0);
}

/**
 * Lets the SDK download one of its official servers into `directory`, and names the file `executable`. The download
 * runs in a child process for two reasons: the SDK's native runtime takes over signal handlers, and a stalled download
 * can be stopped only by ending its process.
 * @throws {Error} if the download fails, or if nothing arrives for 20 s.
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
    // The SDK also reports a failure if the downloaded server starts slowly, so look only for the file. The caller
    // checks whether the server works.
    const name = (await readdir(directory)).find((file) => !file.endsWith('.downloading'));
    if (!name) throw new Error(toOneLine(result.stderr));
    await rename(join(directory, name), join(directory, executable));
  } finally {
    clearInterval(tick);
    progress.end();
  }
}
