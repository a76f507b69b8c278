import { TemporalUnavailable } from './errors.ts';

type Waiting = { start: (silentMs: number) => void; refuse: (error: TemporalUnavailable) => void };
type Bounds = { minimum: number; maximum: number; slowMs: number };

/** A server that has answered no call for this long is away, even if it answered calls before. */
const maximumSilenceMs = 1_000;

/** A slow call shrinks the limit by a thirtieth. Four fast calls raise it by one. */
const decrease = 29 / 30;
const increase = 1 / 4;

/**
 * Limits how many calls to Temporal run at once. The others wait in the order they came. Without a limit a crowd of
 * calls would time out together, because the server works through them at its own speed and each has a deadline.
 *
 * The limit adapts between `minimum` and `maximum`: it shrinks when calls take longer than `slowMs` and grows when
 * they do not (additive increase, multiplicative decrease). So a small server is not flooded, and a distant one is
 * kept busy.
 *
 * Calls wait only while Temporal answers. When a call is lost and Temporal has answered nothing since that call
 * began, all waiting calls end with `TemporalUnavailable`; nothing was started for them. `call` receives the time
 * since the last answer, in milliseconds, so that it can shorten its deadline.
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
