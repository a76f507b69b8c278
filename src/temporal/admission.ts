import type { Config } from '../config/config.ts';
import { createAdaptiveLimit } from './adaptive-limit.ts';
import { callDeadlineMs, withDeadline } from './deadline.ts';
import { Refused } from './errors.ts';
import { createRateLimit } from './rate-limit.ts';
import { createShares } from './shares.ts';

/**
 * `minimum` calls keep a small server busy. `maximum` calls are enough for a large and distant server. If one owner
 * keeps the server busy, the calls of the others also take longer, up to about `slowMs`.
 */
const calls = { minimum: 12, maximum: 96, slowMs: 200 };

/** Who makes a call. The rate limits count by `rateLimitKey`. */
type Caller = { owner: string; rateLimitKey: string };

/** Runs one part of a request, in a turn of its own. */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>;

type Limits = Pick<Config, 'apiKeys' | 'maxInFlight' | 'rateLimit' | 'readRateLimit' | 'itemRateLimit'>;

/**
 * Decides which calls to Temporal run, and when. Every call passes the adaptive limit and has a deadline. One call
 * covers one task, one chunk or one page of a list, so a request about many tasks makes many calls. A submission also
 * passes the rate limits of its caller and the limit of starts in flight. These limits refuse a submission instead of
 * queueing it. The owners share the adaptive limit and the limit of starts.
 */
export function createAdmission(config: Limits) {
  const run = createAdaptiveLimit(calls, config);
  const starts = createShares(() => config.maxInFlight, config);
  const submissions = createRateLimit(config.rateLimit, 'submissions');
  const items = createRateLimit(config.itemRateLimit, 'items');
  const reads = createRateLimit(config.readRateLimit, 'reads');
  const refuseStart = (owner: string): never => {
    throw new Refused('overloaded', `${starts.explain(owner, 'tasks are being started')}; try again`);
  };
  const call = <T>(owner: string, work: () => Promise<T>): Promise<T> =>
    run(owner, (silentMs) => withDeadline(work, callDeadlineMs - silentMs));

  return {
    /**
     * Runs `work` when the adaptive limit allows it. The RPCs of `work` share a deadline.
     * @throws {TemporalUnavailable | Refused}
     */
    call,

    /** Like `call`, and counts as a read of this caller. */
    read<T>({ owner, rateLimitKey }: Caller, work: () => Promise<T>): Promise<T> {
      reads.charge(rateLimitKey);
      return call(owner, work);
    },

    /** Refuses a read if the caller's limit of reads is used up. @throws {Refused} */
    requireReads: reads.require,

    /** Returns what the rate limit leaves to this caller, or `undefined` without a rate limit. */
    readRate: submissions.read,

    /**
     * Refuses a submission before its body is read, if one of its two limits is reached.
     * @throws {Refused}
     */
    requireCapacity({ owner, rateLimitKey }: Caller): void {
      submissions.require(rateLimitKey);
      if (!starts.isFree(owner)) refuseStart(owner);
    },

    /**
     * Runs `start` for this caller and returns its result: `undefined` if `start` started the workflow with this id,
     * otherwise what an earlier submission started. `itemCount` is the number of items of a batch. A submission counts
     * as in flight only while `start` runs or waits for the adaptive limit, not while its body arrives or while the
     * client waits for the task's end.
     * @throws {Refused | TemporalUnavailable}
     */
    start<T>({ owner, rateLimitKey }: Caller, id: string, itemCount: number, start: () => Promise<T | undefined>) {
      const startInTurn = async () => {
        if (!starts.take(owner)) refuseStart(owner);
        try {
          return await call(owner, start);
        } finally {
          starts.release(owner);
        }
      };
      const countItems = () => (itemCount > 0 ? items.count(rateLimitKey, id, itemCount, startInTurn) : startInTurn());
      return submissions.count(rateLimitKey, id, 1, countItems);
    },
  };
}

export type Admission = ReturnType<typeof createAdmission>;
