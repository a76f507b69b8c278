import type { Config } from '../../config/config.ts';
import { createShares } from '../../temporal/shares.ts';

type Job = { owner: string; run: () => Promise<void> };

/**
 * Runs at most `concurrency` jobs at once, and starts at most `concurrency` jobs per `intervalMs`. The owners of jobs
 * share these turns. The jobs of one owner run in the order in which they were added. A job that is added again before
 * it starts runs only once. A job that is removed before it starts does not run.
 */
export function createThrottle(
  { concurrency, intervalMs }: { concurrency: number; intervalMs: number },
  config: Pick<Config, 'apiKeys'>,
) {
  const turns = createShares<Job>(() => concurrency, config);

  async function work({ owner, run }: Job) {
    await Promise.all([run(), new Promise((resolve) => setTimeout(resolve, intervalMs))]);
    turns.release(owner);
    startNext();
  }

  function startNext() {
    for (let job = turns.next(); job; job = turns.next()) void work(job);
  }

  return {
    add(job: Job) {
      turns.wait(job.owner, job);
      startNext();
    },
    remove: (job: Job) => turns.leave(job.owner, job),
  };
}

export type Throttle = ReturnType<typeof createThrottle>;
