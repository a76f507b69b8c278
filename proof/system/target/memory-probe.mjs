import { createServer } from 'node:http';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { threadId } from 'node:worker_threads';

/**
 * Preloaded into the processes of a stack whose memory is measured (`NODE_OPTIONS=--import=…`), and into each of their threads, for a
 * thread has a heap of its own (workflows run in one): whoever asks at the Unix socket named by pid and thread gets the memory in
 * use after a full garbage collection. Plain JavaScript, for it is loaded before tsx.
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
