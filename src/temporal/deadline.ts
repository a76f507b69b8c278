import { TemporalUnavailable, toTemporalError } from './errors.ts';

/** Callers get an answer within 3 s, however many RPCs they need. Longer than the deadline of one RPC. */
export const callDeadlineMs = 2_500;

/**
 * Runs calls to Temporal under one deadline for all of them, without waiting for a turn.
 * @throws {TemporalUnavailable} when Temporal cannot be reached, or has not answered by then.
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
