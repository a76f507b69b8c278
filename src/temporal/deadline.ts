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
