import type { Config } from '../config/config.ts';
import { Refused, TemporalUnavailable } from './errors.ts';
import { createShares } from './shares.ts';

type Waiting = { owner: string; since: number; start: (silentMs: number) => void; refuse: (error: Error) => void };
type Bounds = { minimum: number; maximum: number; slowMs: number };

/** When a call gets no answer, and no other call has got an answer for this long, Temporal counts as unavailable. */
const maximumSilenceMs = 1_000;

/** If a call has waited longer when its turn comes, it is refused. Its client may have given up. */
const maximumWaitMs = 10_000;

/** A slow call shrinks the limit by a thirtieth. Four fast calls raise the limit by one. */
const decrease = 29 / 30;
const increase = 1 / 4;

/**
 * Returns a function that limits how many calls to Temporal run at once. Calls beyond the limit wait. The owners take
 * turns, and the calls of one owner start in the order of arrival. Without a limit, many simultaneous calls would slow
 * each other down until all of them miss their deadlines.
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
export function createAdaptiveLimit({ minimum, maximum, slowMs }: Bounds, config: Pick<Config, 'apiKeys'>) {
  let limit = minimum;
  let answeredAt = 0;
  const turns = createShares<Waiting>(() => Math.floor(limit), config);

  function startWaiting(now: number) {
    for (let next = turns.next(); next; next = turns.next()) {
      if (now - next.since <= maximumWaitMs) next.start(now - answeredAt);
      else {
        turns.release(next.owner);
        const detail = `Calls of your own key wait in this process: this one has waited ${maximumWaitMs / 1_000} s`;
        next.refuse(new Refused('overloaded', detail));
      }
    }
  }

  function settle(owner: string, startedAt: number, isAnswered: boolean) {
    const now = performance.now();
    const isSlow = !isAnswered || now - startedAt > slowMs;
    limit = isSlow ? Math.max(minimum, limit * decrease) : Math.min(maximum, limit + increase);
    turns.release(owner);
    if (isAnswered) answeredAt = now;
    else if (answeredAt < startedAt || now - answeredAt > maximumSilenceMs)
      for (const { refuse } of turns.leaveAll()) refuse(new TemporalUnavailable('not-started'));
    startWaiting(now);
  }

  return async function run<T>(owner: string, call: (silentMs: number) => Promise<T>): Promise<T> {
    let silentMs = 0;
    if (!turns.take(owner))
      silentMs = await new Promise<number>((start, refuse) =>
        turns.wait(owner, { owner, since: performance.now(), start, refuse }),
      );
    const startedAt = performance.now();
    let isAnswered = true;
    try {
      return await call(silentMs);
    } catch (error) {
      isAnswered = !(error instanceof TemporalUnavailable) || error.isBusy;
      throw error;
    } finally {
      settle(owner, startedAt, isAnswered);
    }
  };
}
