/** After its first call has begun, a slice begins calls for this time. Then it reports the calls that still run. */
const windowMs = 1_000;

/** Creates the time in which a slice may begin calls. It starts with the first call, and may be closed earlier. */
export function createWindow() {
  const closing = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let endsAt = Number.POSITIVE_INFINITY;
  let isOver = false;
  let wake = () => {};

  const window = {
    /** Aborts when no more calls may begin. */
    signal: closing.signal,
    wake: () => wake(),
    close(): void {
      closing.abort();
      wake();
    },
    /** Starts the time, if it has not started yet. */
    start(): void {
      if (timer) return;
      endsAt = performance.now() + windowMs;
      timer = setTimeout(() => {
        isOver = true;
        window.close();
      }, windowMs);
    },
    stopTimer: () => clearTimeout(timer),
    /** Whether a call may begin. After a suspension of the process, the clock shows the end before the timer fires. */
    isOpen: () => !closing.signal.aborted && performance.now() < endsAt,
    /** Whether the whole time has passed, even if the window was closed earlier. */
    isOver: () => isOver,
    /** Waits until `holds` returns true. Calls it after each `wake` and `close`. */
    async until(holds: () => boolean): Promise<void> {
      while (!holds())
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    },
  };
  return window;
}
