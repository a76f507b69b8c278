import type { ItemOutcome, SliceLimits, SliceResult } from '../contract.ts';
import type { TaskActivityOptions } from '../policy.ts';
import { createRunningSlices } from '../slices/running-slices.ts';

/** The limits of chunks that earlier builds started. Their input does not have them, so they must never change. */
export const formerLimits: SliceLimits = {
  minimumItems: 10,
  maximumLosses: 2,
  firstIdleMs: 1_000,
  maximumIdleMs: 60_000,
};

type Retry = Omit<TaskActivityOptions['retry'], 'nonRetryableErrorTypes'>;

/**
 * Divides the items of a chunk into slices. Has no side effects, so the caller runs the slices and says how they end.
 * At most one slice at a time begins items. Other slices may still wait for slow calls. The first outcome of an item
 * counts. If a slice is lost, its items without an outcome are attempted again, in small slices, because one of them
 * may kill the workers that run it.
 */
export function createSlices(
  indexes: number[],
  { maximumItems, minimumItems, maximumLosses, firstIdleMs, maximumIdleMs }: SliceLimits & { maximumItems: number },
  retry: Retry,
) {
  const fresh = [...indexes];
  const lost: number[] = [];
  const losses = new Map<number, number>();
  const running = createRunningSlices();
  let beginning: { slice: string; size: number } | undefined;
  let size = maximumItems;
  let holdMs = 0;
  let holds = 0;

  const giveBack = (back: number[]) => {
    fresh.unshift(...back.filter((index) => !losses.has(index)));
    lost.unshift(...back.filter((index) => losses.has(index)));
  };
  /** The next slice is twice as large as what this one began. */
  const adapt = (began: number, { outcomes, holdMs: askedMs }: SliceResult) => {
    size = Math.max(minimumItems, Math.min(2 * began, maximumItems));
    // An upstream that answers some items is not down, so the waits begin again with the first one.
    if (outcomes.some((outcome) => 'output' in outcome)) holds = 0;
    holds = began > 0 && askedMs === undefined ? 0 : holds + 1;
    if (holds === 0) holdMs = 0;
    else if (askedMs === undefined) holdMs = Math.min(firstIdleMs * 2 ** (holds - 1), maximumIdleMs);
    else holdMs = Math.min(Math.max(askedMs, toPolicyMs()), retry.maximumInterval);
  };
  /** The policy's wait. It grows up to the wait before the last attempt of an item, because items wait no longer. */
  const toPolicyMs = () => {
    const waits = Math.min(holds, Math.max(1, retry.maximumAttempts - 1));
    return retry.initialInterval * retry.backoffCoefficient ** (waits - 1);
  };

  return {
    hasWaiting: () => fresh.length + lost.length > 0,
    isRunning: running.isAny,
    isBeginning: () => beginning !== undefined,
    /** Returns how long to wait before the next slice, if the upstream seems to be down or the last slice was idle. */
    toHoldMs: () => holdMs,

    /** Returns the items of the next slice. */
    take(slice: string): number[] {
      const taken = fresh.length > 0 ? fresh.splice(0, size) : lost.splice(0, minimumItems);
      running.start(slice, taken);
      beginning = { slice, size: taken.length };
      return taken;
    },

    /**
     * Takes the outcomes of a slice, and returns those that count. Without `stillRunning`, the slice has ended. Its
     * items that have not begun wait again.
     */
    report(slice: string, result: SliceResult, stillRunning?: number[]): ItemOutcome[] {
      const { outcomes, back } = running.report(slice, result, stillRunning);
      giveBack(back);
      if (beginning?.slice === slice) {
        adapt(beginning.size - back.length, result);
        beginning = undefined;
      }
      return outcomes;
    },

    /** Takes back the items of a lost slice. Returns those that must run alone. */
    lose(slice: string): number[] {
      const items = running.end(slice);
      if (beginning?.slice === slice) beginning = undefined;
      size = minimumItems;
      holdMs = 0;
      for (const index of items) losses.set(index, (losses.get(index) ?? 0) + 1);
      const isPoisonous = (index: number) => (losses.get(index) ?? 0) >= maximumLosses;
      lost.push(...items.filter((index) => !isPoisonous(index)));
      return items.filter(isPoisonous);
    },
  };
}
