import type { Config } from '../config/config.ts';
import { createAdaptiveLimit } from './adaptive-limit.ts';
import { callDeadlineMs, withDeadline } from './deadline.ts';
import { Refused } from './errors.ts';
import { createRateLimit } from './rate-limit.ts';

/** Enough calls at once to keep a small server busy, and at most what a large and distant one needs. */
const calls = { minimum: 12, maximum: 96, slowMs: 400 };

/**
 * Decides which calls to Temporal run, and when. Every call passes the adaptive limit and has a deadline. A submission
 * also passes the rate limit of its caller and the limit of starts in flight. These two refuse, they do not queue.
 */
export function createAdmission({ maxInFlight, rateLimit }: Pick<Config, 'maxInFlight' | 'rateLimit'>) {
  const run = createAdaptiveLimit(calls);
  const rates = createRateLimit(rateLimit);
  let inFlight = 0;
  const requireSlot = () => {
    if (inFlight >= maxInFlight)
      throw new Refused('overloaded', 'Too many tasks are being started at this moment; try again');
  };
  const call = <T>(work: () => Promise<T>): Promise<T> =>
    run((silentMs) => withDeadline(work, callDeadlineMs - silentMs));

  return {
    /**
     * Runs the calls of one request when its turn has come. All of them share one deadline.
     * @throws {TemporalUnavailable}
     */
    call,

    /** What the rate limit leaves to this caller; `undefined` without a rate limit. */
    readRate: rates.read,

    /**
     * Refuses a submission early, before its body is read.
     * @throws {Refused}
     */
    requireCapacity(caller: string): void {
      rates.require(caller);
      requireSlot();
    },

    /**
     * Runs `start` for this caller. `start` returns `undefined` if it started the workflow of this id, or what an
     * earlier submission started. Only the start itself counts as in flight, not the arrival of the body or a wait
     * for the end.
     * @throws {Refused | TemporalUnavailable}
     */
    start<T>(caller: string, id: string, start: () => Promise<T | undefined>): Promise<T | undefined> {
      return rates.count(caller, id, async () => {
        requireSlot();
        inFlight += 1;
        try {
          return await call(start);
        } finally {
          inFlight -= 1;
        }
      });
    },
  };
}

export type Admission = ReturnType<typeof createAdmission>;
