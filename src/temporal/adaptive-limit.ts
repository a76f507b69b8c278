import { TemporalUnavailable } from './errors.ts';

type Waiting = { start: (silentMs: number) => void; refuse: (error: TemporalUnavailable) => void };
type Bounds = { minimum: number; maximum: number; slowMs: number };

/** When a call gets no answer, and no other call has got an answer for this long, Temporal counts as unavailable. */
const maximumSilenceMs = 1_000;

/** A slow call shrinks the limit by a thirtieth. Four fast calls raise the limit by one. */
const decrease = 29 / 30;
const increase = 1 / 4;

/**
 * Returns a function that limits how many calls to Temporal run at once. Calls beyond the limit wait in the order of
 * arrival. Without a limit, many simultaneous calls would slow each other down until all of them miss their deadlines.
 *
 * The limit adapts between `minimum` and `maximum`: it shrinks after a call that takes longer than `slowMs` or gets no
 * answer, and grows after any other call (additive increase, multiplicative decrease). It stays low for a small server,
 * which is slow under many calls. It grows for a distant server, whose calls are slower but below `slowMs`.
 *
 * Calls wait only while Temporal answers. When a call gets no answer, Temporal counts as unavailable in two cases: its
 * last answer came before that call began, or more than 1 s ago. Then all waiting calls fail with
 * `TemporalUnavailable`. They have started nothing. A waiting call that starts gets the milliseconds since Temporal's
 * last answer, and can shorten its own deadline by them.
 */
export function createAdaptiveLimit({ minimum, maximum, slowMs }: Bounds) {
  const waiting: Waiting[] = [];
  let limit = minimum;
  let running = 0;
  let answeredAt = 0;

  function settle(startedAt: number, isAnswered: boolean) {
    const now = performance.now();
    const isSlow = !isAnswered || now - startedAt > slowMs;
    limit = isSlow ? Math.max(minimum, limit * decrease) : Math.min(maximum, limit + increase);
    running -= 1;
    if (isAnswered) answeredAt = now;
    else if (answeredAt < startedAt || now - answeredAt > maximumSilenceMs)
      for (const { refuse } of waiting.splice(0)) refuse(new TemporalUnavailable('not-started'));
    while (running < Math.floor(limit) && waiting.length > 0) {
      running += 1;
      waiting.shift()?.start(now - answeredAt);
    }
  }

  return async function run<T>(call: (silentMs: number) => Promise<T>): Promise<T> {
    let silentMs = 0;
    if (running < Math.floor(limit)) running += 1;
    else silentMs = await new Promise<number>((start, refuse) => waiting.push({ start, refuse }));
    const startedAt = performance.now();
    let isAnswered = true;
    try {
      return await call(silentMs);
    } catch (error) {
      isAnswered = !(error instanceof TemporalUnavailable);
      throw error;
    } finally {
      settle(startedAt, isAnswered);
    }
  };
}
