import { setTimeout as sleep } from 'node:timers/promises';
import { SetupError } from './setup-error.ts';

type Options = {
  /** How long to wait; without it, until the fact holds or `signal` aborts. */
  withinMs?: number;
  /** The pause between two reads; a function returns the next pause. */
  everyMs?: number | (() => number);
  signal?: AbortSignal | undefined;
  /** What is wrong after `withinMs` and what to do about it: a message, or an error of the caller's own. */
  onTimeout?: () => string | Error;
};

type Truthy<T> = Exclude<T, false | 0 | '' | null | undefined>;

/**
 * Reads a fact again and again until it is truthy, and returns it. Reads at least once, and once more at the deadline.
 * @throws {SetupError} with the message of `onTimeout` (or the error that it returns) after `withinMs`; the signal's
 *   reason once it aborts; whatever `read` throws.
 */
export async function until<T>(
  read: () => T | Promise<T>,
  { withinMs = Number.POSITIVE_INFINITY, everyMs = 50, signal, onTimeout }: Options = {},
): Promise<Truthy<T>> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    signal?.throwIfAborted();
    const isLast = performance.now() >= deadline;
    const fact = await read();
    if (fact) return fact as Truthy<T>;
    if (isLast) {
      const fault = onTimeout?.() ?? `Still not so after ${withinMs / 1_000} s: ${read}`;
      throw fault instanceof Error ? fault : new SetupError(fault);
    }
    const pauseMs = typeof everyMs === 'number' ? everyMs : everyMs();
    await sleep(Math.min(pauseMs, Math.max(1, deadline - performance.now())), undefined, { signal });
  }
}

/**
 * Like `until`, but returns whether the fact held in time; false also once the signal aborts.
 * @throws {Error} whatever `read` throws.
 */
export async function holdsSoon(read: () => unknown, options: Omit<Options, 'onTimeout'>): Promise<boolean> {
  const timeout = new Error('timeout');
  try {
    await until(read, { ...options, onTimeout: () => timeout });
    return true;
  } catch (error) {
    if (error === timeout || options.signal?.aborted) return false;
    throw error;
  }
}
