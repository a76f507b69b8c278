/**
 * Runs jobs in the order in which they were added. Runs at most `concurrency` jobs at once, and starts at most
 * `concurrency` jobs per `intervalMs`. A job that is added again before it starts runs only once. A job that is removed
 * before it starts does not run.
 */
export function createThrottle({ concurrency, intervalMs }: { concurrency: number; intervalMs: number }) {
  const waiting = new Set<() => Promise<void>>();
  let running = 0;

  async function work() {
    running += 1;
    for (const job of waiting) {
      waiting.delete(job);
      await Promise.all([job(), new Promise((resolve) => setTimeout(resolve, intervalMs))]);
    }
    running -= 1;
  }

  return {
    add(job: () => Promise<void>) {
      waiting.add(job);
      if (running < concurrency) void work();
    },
    remove: (job: () => Promise<void>) => void waiting.delete(job),
  };
}

export type Throttle = ReturnType<typeof createThrottle>;
