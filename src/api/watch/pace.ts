/**
 * Runs jobs in the order they came, `lanes` of them at once and each lane one in `jobMs` at most: so many a second however many
 * want to, and fewer while jobs take long. A job that is added twice before its turn runs once; a removed one does not.
 */
export function createPace({ lanes, jobMs }: { lanes: number; jobMs: number }) {
  const due = new Set<() => Promise<void>>();
  let busy = 0;

  async function work() {
    busy += 1;
    for (const job of due) {
      due.delete(job);
      await Promise.all([job(), new Promise((resolve) => setTimeout(resolve, jobMs))]);
    }
    busy -= 1;
  }

  return {
    add(job: () => Promise<void>) {
      due.add(job);
      if (busy < lanes) void work();
    },
    remove: (job: () => Promise<void>) => void due.delete(job),
  };
}
