import { createServer } from 'node:http';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { threadId } from 'node:worker_threads';

/**
 * Serves the memory in use after a full garbage collection, at a Unix socket named after pid and thread. This script is
 * preloaded (`NODE_OPTIONS=--import=…`) into each process of a measured stack and each of their threads. Every thread
 * has its own heap, and the workflows run in a thread. The script is plain JavaScript, because it loads before tsx.
 */
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

createServer((_, response) => {
  collectGarbage();
  const { rss, heapUsed } = process.memoryUsage();
  response.end(JSON.stringify({ rssBytes: rss, heapUsedBytes: heapUsed }));
})
  .listen(join(process.env.MEMORY_PROBE_DIRECTORY, `${process.pid}-${threadId}.sock`))
  .unref();
