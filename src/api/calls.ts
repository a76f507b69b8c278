import type { Client } from '@temporalio/client';
import { Problem } from './problem.ts';

/** The deadline of each RPC, and the moment at which we answer even if the client library does not give up. */
const rpcDeadlineMs = 2_000;
const answerDeadlineMs = 2_500;

/**
 * Runs the Temporal calls of one request under one deadline: the caller has an answer within 3 s also when the server is
 * gone, stopped or slow (the SDK by itself would try for 20 s and more).
 * @throws {Problem} `temporal-unavailable` with an unknown outcome when nothing came back in time.
 */
export async function callTemporal<T>({ connection }: Client, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const giveUp = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(
          new Problem(
            'temporal-unavailable',
            'Temporal did not answer in time; try again',
            { outcome: 'unknown' },
            { 'Retry-After': '2' },
          ),
        ),
      answerDeadlineMs,
    );
  });
  try {
    return await Promise.race([connection.withDeadline(Date.now() + rpcDeadlineMs, work), giveUp]);
  } finally {
    clearTimeout(timer);
  }
}
