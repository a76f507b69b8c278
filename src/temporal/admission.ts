import type { Config } from '../config/config.ts';
import { createAdaptiveLimit } from './adaptive-limit.ts';
import { callDeadlineMs, withDeadline } from './deadline.ts';
import { Refused } from './errors.ts';
import { createRateLimit } from './rate-limit.ts';

/** `minimum` calls keep a small server busy. `maximum` calls are enough for a large and distant server. */
const calls = { minimum: 12, maximum: 96, slowMs: 400 };

/**
 * Decides which calls to Temporal run, and when. Every call passes the adaptive limit and has a deadline. A submission
 * also passes the rate limit of its caller and the limit of starts in flight. These two limits refuse a submission
 * instead of queueing it.
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
     * Runs `work`, which makes all calls of one request, when the adaptive limit allows it. The calls share a deadline.
     * @throws {TemporalUnavailable}
     */
    call,

    /** Returns what the rate limit leaves to this caller, or `undefined` without a rate limit. */
    readRate: rates.read,

    /**
     * Refuses a submission before its body is read, if one of its two limits is reached.
     * @throws {Refused}
     */
    requireCapacity(caller: string): void {
      rates.require(caller);
      requireSlot();
    },

    /**
     * Runs `start` for this caller and returns its result: `undefined` if `start` started the workflow with this id,
     * otherwise what an earlier submission started. A submission counts as in flight only while `start` runs or waits
     * for the adaptive limit, not while its body arrives or while the client waits for the task's end.
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
