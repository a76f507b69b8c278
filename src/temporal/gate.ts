import { toProblem, toUnavailable } from '../api/problems/problem.ts';

type Waiting = { go: (silentMs: number) => void; refuse: (why: unknown) => void };
type Limits = { least: number; most: number; slowMs: number };

/** A server that answers nobody for so long is away, whatever it answered before. */
const silenceMs = 1_000;

/** How the limit follows the server: one slow call takes a thirtieth away, four quick ones let one more go. */
const shrink = 29 / 30;
const grow = 1 / 4;

/**
 * Lets some calls to Temporal go at once, the rest in the order they came. All at once they would time each other out, for each
 * has a deadline and a server works at one pace. How many that is follows the pace: fewer while calls take longer than `slowMs`,
 * more while they do not (additive increase, multiplicative decrease), so that a small server is not flooded and a distant one not
 * starved. Whoever waits does so only while Temporal answers: a call that is lost, with nothing answered since it began, ends the
 * waiting of all with a `temporal-unavailable` of which nothing was started. `call` hears for how long nothing was answered when its
 * turn came: it has so much less time itself.
 */
export function createGate({ least, most, slowMs }: Limits) {
  const waiting: Waiting[] = [];
  let limit = least;
  let running = 0;
  let answeredAt = 0;

  function settle(startedAt: number, isAnswered: boolean) {
    const now = performance.now();
    const isSlow = !isAnswered || now - startedAt > slowMs;
    limit = isSlow ? Math.max(least, limit * shrink) : Math.min(most, limit + grow);
    running -= 1;
    if (isAnswered) answeredAt = now;
    else if (answeredAt < startedAt || now - answeredAt > silenceMs)
      for (const { refuse } of waiting.splice(0)) refuse(toUnavailable('not-started'));
    while (running < Math.floor(limit) && waiting.length > 0) {
      running += 1;
      waiting.shift()?.go(now - answeredAt);
    }
  }

  return async function pass<T>(call: (silentMs: number) => Promise<T>): Promise<T> {
    let silentMs = 0;
    if (running < Math.floor(limit)) running += 1;
    else silentMs = await new Promise<number>((go, refuse) => waiting.push({ go, refuse }));
    const startedAt = performance.now();
    let isAnswered = true;
    try {
      return await call(silentMs);
    } catch (error) {
      isAnswered = toProblem(error).slug !== 'temporal-unavailable';
      throw error;
    } finally {
      settle(startedAt, isAnswered);
    }
  };
}
