import type { Config } from '../config/config.ts';

/** Whether there is more than one owner. Each owner may have several secrets. */
export const hasSeveralOwners = ({ apiKeys }: Pick<Config, 'apiKeys'>) =>
  new Set(apiKeys.map(({ owner }) => owner)).size > 1;

/**
 * Shares a number of places among owners, so that no owner can block another. Places are, for example, calls to
 * Temporal that run at once, open event streams or bytes in memory.
 *
 * An owner gets a place only while it holds fewer places than are free. So one owner holds at most half of all places
 * (rounded up), and the next one finds free places. If there is only one owner, it may hold all places. An owner that
 * gets no place is refused (`take`) or waits (`wait`). Waiting owners take turns. The items of one owner keep their
 * order.
 */
export function createShares<T = never>(readTotal: () => number, config: Pick<Config, 'apiKeys'>) {
  const isShared = hasSeveralOwners(config);
  const held = new Map<string, number>();
  /** The owner whose turn is next comes first. */
  const waiting = new Map<string, Set<T>>();
  let used = 0;
  const readHeld = (owner: string) => held.get(owner) ?? 0;

  const shares = {
    /** Whether the owner may take `count` more places, one after the other. */
    isFree(owner: string, count = 1): boolean {
      const free = readTotal() - used;
      // When the owner takes the last of these places, it holds `count - 1` more, and `count - 1` fewer are free.
      return isShared ? readHeld(owner) + count - 1 < free - (count - 1) : count <= free;
    },

    /** Gives the owner `count` more places. If the owner may not have them all, returns false and changes nothing. */
    take(owner: string, count = 1): boolean {
      if (!shares.isFree(owner, count)) return false;
      held.set(owner, readHeld(owner) + count);
      used += count;
      return true;
    },

    /** Takes places back. After this, `next` may return something. */
    release(owner: string, count = 1): void {
      const rest = readHeld(owner) - count;
      if (rest > 0) held.set(owner, rest);
      else held.delete(owner);
      used -= count;
    },

    /** Lets an item wait for a place. */
    wait(owner: string, item: T): void {
      waiting.set(owner, (waiting.get(owner) ?? new Set()).add(item));
    },

    /** Removes an item that waits. */
    leave(owner: string, item: T): void {
      const items = waiting.get(owner);
      if (items?.delete(item) && items.size === 0) waiting.delete(owner);
    },

    /** Gives a place to the item whose turn it is. Returns the item, or `undefined` if no item gets a place. */
    next(): T | undefined {
      for (const [owner, items] of waiting) {
        if (!shares.take(owner)) continue;
        const [item] = items;
        items.delete(item as T);
        waiting.delete(owner);
        if (items.size > 0) waiting.set(owner, items);
        return item;
      }
      return undefined;
    },

    /** Removes all items that wait and returns them. */
    leaveAll(): T[] {
      const items = [...waiting.values()].flatMap((each) => [...each]);
      waiting.clear();
      return items;
    },

    /** Returns why the owner gets no place. `what` describes the places that are taken: "event streams are open". */
    explain: (owner: string, what: string) =>
      isShared && readHeld(owner) > 0
        ? `${readHeld(owner)} ${what} for your API key, which is its share in this process`
        : `${used} ${what} in this process, which allows ${readTotal()}`,
  };
  return shares;
}

export type Shares<T = never> = ReturnType<typeof createShares<T>>;
