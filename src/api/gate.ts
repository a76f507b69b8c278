import { toProblem, toUnavailable } from './problem.ts';

type Waiting = { go: () => void; refuse: (why: unknown) => void };

/**
 * Lets `limit` calls to Temporal go at once, the rest in the order they came. All at once they would time each other out, for
 * each has a deadline and a server works at one pace. Whoever waits does so only while Temporal answers: a call that is lost, with
 * nothing answered since it began, ends the waiting of all with a `temporal-unavailable` of which nothing was started.
 */
export function createGate(limit: number) {
  const waiting: Waiting[] = [];
  let running = 0;
  let answeredAt = 0;

  return async function pass<T>(call: () => Promise<T>): Promise<T> {
    if (running < limit) running += 1;
    else await new Promise<void>((go, refuse) => waiting.push({ go, refuse }));
    const startedAt = performance.now();
    try {
      const answer = await call();
      answeredAt = performance.now();
      return answer;
    } catch (error) {
      if (toProblem(error).slug !== 'temporal-unavailable') answeredAt = performance.now();
      else if (answeredAt < startedAt) for (const { refuse } of waiting.splice(0)) refuse(toUnavailable('not-started'));
      throw error;
    } finally {
      const next = waiting.shift();
      if (next) next.go();
      else running -= 1;
    }
  };
}
