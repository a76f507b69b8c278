import type { temporal } from '@temporalio/proto';
import { toEpochMs } from '../../temporal/payloads.ts';

type Poller = temporal.api.taskqueue.v1.IPollerInfo;

/** Temporal lists the poller of a dead worker for 5 minutes. A live worker polls at least every 60 s. */
export const pollerFreshMs = 75_000;

/**
 * The same limit for the embedded server. A frozen worker still has open polls, and the end of such a poll looks like a
 * new poll. On the embedded server, a poll ends after 15 s. With this limit, `/ready` therefore notices a frozen worker
 * within 75 s.
 */
export const embeddedSilentMs = 60_000;

/**
 * Creates a function that tells whether one of these pollers of a task queue polled within 75 s. From the second call
 * on, the limit is `silentMs`.
 *
 * The clock of this host may differ from Temporal's. If a poller's last access has changed since the previous call, the
 * poll happened after that call. While the last access does not change, its age grows by the timer of this process. So
 * a difference of the clocks matters only at the first call, and for at most 75 s.
 */
export function createPollerCheck({ silentMs = pollerFreshMs, now = () => performance.now() } = {}) {
  let known = new Map<string, { accessMs: number; polledAt: number }>();
  let calledAt = Number.NEGATIVE_INFINITY;

  return (pollers: Poller[]): boolean => {
    const at = now();
    const toKnown = ({ identity, lastAccessTime }: Poller) => {
      const accessMs = toEpochMs(lastAccessTime);
      const before = known.get(identity ?? '');
      if (before?.accessMs === accessMs) return before;
      const ageMs = Math.min(Math.max(0, Date.now() - accessMs), at - calledAt);
      return { accessMs, polledAt: at - ageMs };
    };
    known = new Map(pollers.map((poller) => [poller.identity ?? '', toKnown(poller)]));
    const limitMs = calledAt === Number.NEGATIVE_INFINITY ? pollerFreshMs : silentMs;
    calledAt = at;
    return [...known.values()].some(({ polledAt }) => at - polledAt < limitMs);
  };
}
