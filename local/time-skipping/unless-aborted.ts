import { once } from 'node:events';

/** What `work` gives, or a rejection as soon as `signal` aborts; what then becomes of `work` nobody asks. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const over = new AbortController();
  const aborted = once(signal, 'abort', { signal: over.signal }).then(() => Promise.reject(signal.reason));
  try {
    return await Promise.race([work, aborted]);
  } finally {
    over.abort();
  }
}
