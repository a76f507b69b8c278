type Release = () => void;

/** Attempts that hold places or wait for them. `waiting` has them in the order in which they get places. */
type Line = { held: number; waiting: Set<() => void> };

const createLine = (): Line => ({ held: 0, waiting: new Set() });

/**
 * Shares the calls that a worker process makes at once. Single attempts come first. If there is more than one place,
 * slices leave one to single attempts, so a single attempt finds a place beside a batch of slow calls. Of the owners
 * whose slices wait, the owner with the fewest places comes first. Owners with equally many places take turns.
 */
export function createPlaces(total: number) {
  const maximumForSlices = Math.max(1, total - 1);
  const singles = createLine();
  /** The owner whose turn is next comes first. */
  const slices = new Map<string, Line>();
  let usedBySlices = 0;

  /** Returns the owner whose slice gets the next place. */
  function findOwner(): string | undefined {
    if (usedBySlices >= maximumForSlices) return undefined;
    const waiting = [...slices].filter(([, line]) => line.waiting.size > 0);
    const fewest = Math.min(...waiting.map(([, line]) => line.held));
    return waiting.find(([, line]) => line.held === fewest)?.[0];
  }

  function grant(): void {
    while (singles.held + usedBySlices < total) {
      const owner = singles.waiting.size > 0 ? undefined : findOwner();
      const line = owner === undefined ? singles : slices.get(owner);
      const [next] = line?.waiting ?? [];
      if (!line || !next) return;
      if (owner !== undefined) {
        usedBySlices += 1;
        slices.delete(owner);
        slices.set(owner, line);
      }
      line.waiting.delete(next);
      line.held += 1;
      next();
    }
  }

  /** Resolves with a function that releases the place, or with `undefined` if `signal` aborts first. */
  const take = (line: Line, signal: AbortSignal, onRelease: Release) =>
    new Promise<Release | undefined>((resolve) => {
      if (signal.aborted) return resolve(undefined);
      const leave = () => {
        line.waiting.delete(enter);
        resolve(undefined);
      };
      const enter = () => {
        signal.removeEventListener('abort', leave);
        resolve(() => {
          line.held -= 1;
          onRelease();
          grant();
        });
      };
      signal.addEventListener('abort', leave, { once: true });
      line.waiting.add(enter);
      grant();
    });

  return {
    /** Returns how many places slices could take now. A place that only a single attempt may take does not count. */
    readFree: () => Math.min(total - singles.held, maximumForSlices) - usedBySlices,

    /** Takes a place for a single attempt. The attempt waits until `signal` aborts. */
    takeForSingle: (signal: AbortSignal) => take(singles, signal, () => {}),

    /** Takes a place for a slice of this owner. The slice waits until `signal` aborts. */
    async takeForSlice(owner: string, signal: AbortSignal) {
      const line = slices.get(owner) ?? createLine();
      slices.set(owner, line);
      const clear = () => {
        if (line.held === 0 && line.waiting.size === 0 && slices.get(owner) === line) slices.delete(owner);
      };
      const release = await take(line, signal, () => {
        usedBySlices -= 1;
        clear();
      });
      if (!release) clear();
      return release;
    },
  };
}

export type Places = ReturnType<typeof createPlaces>;
