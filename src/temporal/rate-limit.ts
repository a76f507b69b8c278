import { Refused, TemporalRefused, TemporalUnavailable } from './errors.ts';

export const windowMs = 60_000;

/** Bounds memory, because callers may be many IP addresses. To make room, the window that ends first is dropped. */
const maximumWindows = 10_000;

/**
 * `starting` has the ids that are being started now, each with the number of its submissions in flight. `reserved` is
 * the cost of these ids together.
 */
type Window = { used: number; reserved: number; starting: Map<string, number>; endsAt: number };

/**
 * Creates the table of each caller's current window. All windows have the same length, so the window that was inserted
 * first ends first.
 */
export function createWindows(now = () => performance.now(), maximum = maximumWindows) {
  const windows = new Map<string, Window>();
  return {
    get size() {
      return windows.size;
    },
    of(caller: string): Window {
      for (const [other, { endsAt }] of windows) {
        if (endsAt > now() && (windows.size < maximum || windows.has(caller))) break;
        windows.delete(other);
      }
      const window = windows.get(caller) ?? { used: 0, reserved: 0, starting: new Map(), endsAt: now() + windowMs };
      windows.set(caller, window);
      return window;
    },
    toSeconds: ({ endsAt }: Window) => Math.max(1, Math.ceil((endsAt - now()) / 1_000)),
  };
}

/**
 * Limits each caller to `limit` submissions, items or reads a minute. 0 means no limit. A submission counts only if it
 * has started something, or may have: a replay, a failed validation or a refusal costs nothing. Submissions with the
 * same id count once, even while they are in flight.
 */
export function createRateLimit(limit: number, what: 'submissions' | 'items' | 'reads', now?: () => number) {
  const windows = createWindows(now);
  const refuse = (seconds: number): never => {
    throw new Refused(
      'rate-limited',
      `The limit of ${limit} ${what} a minute is reached; try again in ${seconds} s`,
      seconds,
    );
  };

  return {
    /** Returns what a caller has left and the seconds until its window ends, or `undefined` without a limit. */
    read(caller: string): { limit: number; remaining: number; resetSeconds: number } | undefined {
      if (limit === 0) return undefined;
      const window = windows.of(caller);
      const remaining = Math.max(0, limit - window.used - window.reserved);
      return { limit, remaining, resetSeconds: windows.toSeconds(window) };
    },

    /** @throws {Refused} when the caller's window is used up. */
    require(caller: string): void {
      if (limit === 0) return;
      const window = windows.of(caller);
      if (window.used >= limit) refuse(windows.toSeconds(window));
    },

    /** Counts one read. Refuses nothing. */
    charge(caller: string): void {
      if (limit > 0) windows.of(caller).used += 1;
    },

    /**
     * Runs `start` and returns its result: `undefined` if `start` started the task or batch with this id, otherwise
     * what an earlier submission started. If `cost` is above the limit, the window must be unused.
     * @throws {Refused} when finished starts and starts in flight use up the caller's window.
     */
    async count<T>(caller: string, id: string, cost: number, start: () => Promise<T | undefined>) {
      if (limit === 0) return start();
      const window = windows.of(caller);
      const { starting } = window;
      const isTooMuch = (used: number) => used > 0 && used + cost > limit;
      // Starts in flight may be replays, which do not count. If finished starts leave room, a retry in 1 s may succeed.
      if (!starting.has(id) && isTooMuch(window.used + window.reserved))
        refuse(isTooMuch(window.used) ? windows.toSeconds(window) : 1);
      if (!starting.has(id)) window.reserved += cost;
      starting.set(id, (starting.get(id) ?? 0) + 1);
      let isUsed = false;
      try {
        const earlier = await start();
        isUsed = earlier === undefined;
        return earlier;
      } catch (error) {
        const isNotSent = error instanceof TemporalUnavailable && error.outcome === 'not-started';
        isUsed = !isNotSent && !(error instanceof Refused) && !(error instanceof TemporalRefused);
        throw error;
      } finally {
        const others = (starting.get(id) ?? 1) - 1;
        if (others > 0) starting.set(id, others);
        else {
          starting.delete(id);
          window.reserved -= cost;
        }
        if (isUsed) window.used += cost;
      }
    },
  };
}
