import { setTimeout as sleep } from 'node:timers/promises';
import { SetupError } from './setup-error.ts';

type Options = {
  /** The longest time to wait. By default the time is unlimited. */
  withinMs?: number;
  /** The pause between two reads, or a function that returns the next pause. */
  everyMs?: number | (() => number);
  signal?: AbortSignal | undefined;
  /** Returns the error to throw after `withinMs`, or only its message, which says what is wrong and what to do. */
  onTimeout?: () => string | Error;
};

type Truthy<T> = Exclude<T, false | 0 | '' | null | undefined>;

/**
 * Calls `read` repeatedly until it returns a truthy value, and resolves with that value. Reads at least once, and once
 * more at the deadline.
 * @throws {SetupError} with the message of `onTimeout` after `withinMs`. If `onTimeout` returns an error, throws that
 *   error. Also throws an error when `signal` aborts, and every error of `read`.
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
 * Like `until`, but resolves with true if `read` returned a truthy value in time. After `withinMs`, or when the signal
 * aborts, resolves with false.
 * @throws {Error} Every error of `read`.
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
