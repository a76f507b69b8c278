import { beginCall } from './connection.ts';
import { TemporalUnavailable, toTemporalError } from './errors.ts';

/** The deadline of all RPCs of one turn together, so that callers get an answer within 3 s. A single RPC has 2 s. */
export const callDeadlineMs = 2_500;

/**
 * Runs `work`, whose calls to Temporal share one deadline, and returns its result. Applies no adaptive limit.
 * @throws {TemporalUnavailable} when Temporal cannot be reached or does not answer before the deadline.
 */
export async function withDeadline<T>(work: () => Promise<T>, deadlineMs = callDeadlineMs): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expiry = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TemporalUnavailable('unknown')), Math.max(0, deadlineMs));
  });
  try {
    return await Promise.race([work(), expiry]);
  } catch (error) {
    throw toTemporalError(error);
  } finally {
    clearTimeout(timer);
  }
}

/** Temporal answers a long poll after about 20 s, even without news. This deadline finds a server that hangs. */
const longPollDeadlineMs = 30_000;

/**
 * Makes one call that may stay open for long. `call` must call Temporal before it returns. The call is cancelled when
 * `signal` is aborted.
 * @throws {TemporalUnavailable} if Temporal does not answer, and when `signal` is aborted.
 */
export async function longPoll<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> {
  // The call never removes its listener, and `signal` may outlive many polls.
  const poll = new AbortController();
  const abort = () => poll.abort();
  try {
    if (signal.aborted) throw new TemporalUnavailable('not-started');
    signal.addEventListener('abort', abort);
    return await beginCall({ deadline: Date.now() + longPollDeadlineMs, signal: poll.signal }, call);
  } catch (error) {
    throw toTemporalError(error);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
