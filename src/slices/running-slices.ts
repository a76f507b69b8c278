import type { ItemOutcome, SliceResult } from '../contract.ts';

/**
 * Keeps the items without an outcome of each running slice. The workflow of a chunk uses it while the chunk runs, and
 * the API uses it to read the chunk's history, so both agree. The first outcome of an item counts. Reports of a slice
 * that has ended or was never started are ignored.
 */
export function createRunningSlices() {
  const running = new Map<string, Set<number>>();
  return {
    isAny: () => running.size > 0,
    list: (slice: string): number[] => [...(running.get(slice) ?? [])],
    start: (slice: string, indexes: number[]) => running.set(slice, new Set(indexes)),

    /**
     * Takes a report of a slice. Returns the outcomes that count and the items that have not begun. Without
     * `stillRunning`, the slice has ended.
     */
    report(
      slice: string,
      result: SliceResult,
      stillRunning: number[] = [],
    ): { outcomes: ItemOutcome[]; back: number[] } {
      const items = running.get(slice) ?? new Set();
      const outcomes = result.outcomes.filter(({ index }) => items.delete(index));
      const back = [...items].filter((index) => !stillRunning.includes(index));
      for (const index of back) items.delete(index);
      if (items.size === 0) running.delete(slice);
      return { outcomes, back };
    },

    /** Ends a lost slice. Returns its items without an outcome. */
    end(slice: string): number[] {
      const items = this.list(slice);
      running.delete(slice);
      return items;
    },
  };
}
