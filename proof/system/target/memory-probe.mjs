import { createServer } from 'node:http';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { threadId } from 'node:worker_threads';

/**
 * Serves the memory in use after a full garbage collection, at a Unix socket named after pid and thread. This script is
 * preloaded (`NODE_OPTIONS=--import=…`) into each process of a measured stack and each of their threads. Every thread
 * has its own heap, and the workflows run in a thread. Processes without MEMORY_PROBE_DIRECTORY, such as the watchdog,
 * are not measured. The script is plain JavaScript, because it loads before tsx.
 */
const directory = process.env.MEMORY_PROBE_DIRECTORY;

if (directory) {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc');
  createServer((_, response) => {
    collectGarbage();
    const { rss, heapUsed } = process.memoryUsage();
    response.end(JSON.stringify({ rssBytes: rss, heapUsedBytes: heapUsed }));
  })
    .listen(join(directory, `${process.pid}-${threadId}.sock`))
    .unref();
}
