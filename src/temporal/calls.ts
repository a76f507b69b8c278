import { toUnavailable } from '../api/problems/problem.ts';
import { createGate } from './gate.ts';

/** A little over the deadline of one RPC: we answer even if several of them, or the client library, take longer. */
const answerDeadlineMs = 2_500;

/** At least enough to keep a small server busy, at most what a large and distant one needs; a fifth of an RPC's deadline is slow. */
const pass = createGate({ least: 12, most: 96, slowMs: 400 });

/**
 * Runs the Temporal calls of one request, when its turn has come, under one deadline: the caller has an answer within 3 s also
 * when the server is gone, stopped or slow.
 * @throws {Problem} `temporal-unavailable` with an unknown outcome when nothing came back in time.
 */
export const callTemporal = <T>(work: () => Promise<T>): Promise<T> =>
  pass((silentMs) => withinDeadline(work, answerDeadlineMs - silentMs));

/** The same at once, whoever waits: a probe that stood in the queue of a crowd would call a healthy API unready. */
export async function withinDeadline<T>(work: () => Promise<T>, deadlineMs = answerDeadlineMs): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const giveUp = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(toUnavailable('unknown')), Math.max(0, deadlineMs));
  });
  try {
    return await Promise.race([work(), giveUp]);
  } finally {
    clearTimeout(timer);
  }
}
