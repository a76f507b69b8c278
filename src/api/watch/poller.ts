import { sha256 } from '../../config/api-keys.ts';
import { TemporalUnavailable } from '../../temporal/errors.ts';
import type { Task } from '../views/schemas.ts';
import type { createPace } from './pace.ts';

/** How soon a task is read again: at first and after a change, at most, and while Temporal is away. */
const leastMs = 250;
const mostMs = 5_000;
const awayMs = 1_000;

/** Who is told of a state: `offer` says whether it was news. */
type Watch = { offer: (task: Task, stateId: string) => boolean; close: () => void };

/** The same for the same state of a task, whichever process reads it. */
export const toStateId = (task: Task) => sha256(JSON.stringify(task)).toString('hex').slice(0, 16);

/**
 * Reads one task again and again for all its watches: ever more rarely while nothing changes, but when its next attempt is due. A
 * watch is told only what was read after it began, so that it never goes back in time. A task that is gone ends its watches.
 */
export function createPoller(readTask: () => Promise<Task>, pace: ReturnType<typeof createPace>) {
  const watches = new Set<Watch>();
  let waitMs = leastMs;
  let dueAt = 0;
  let timer: NodeJS.Timeout | undefined;

  function pollWithin(ms: number) {
    const at = performance.now() + ms;
    if (timer && dueAt <= at) return;
    clearTimeout(timer);
    dueAt = at;
    timer = setTimeout(() => pace.add(poll), ms);
  }

  async function poll() {
    const audience = [...watches];
    let attemptMs = Number.POSITIVE_INFINITY;
    try {
      const task = await readTask();
      const stateId = toStateId(task);
      const isNews = audience.map((watch) => watch.offer(task, stateId)).includes(true);
      waitMs = isNews ? leastMs : Math.min(2 * waitMs, mostMs);
      if (task.nextAttemptAt) attemptMs = Math.max(0, Date.parse(task.nextAttemptAt) - Date.now());
    } catch (error) {
      if (!(error instanceof TemporalUnavailable)) for (const watch of audience) watch.close();
      waitMs = awayMs;
    }
    timer = undefined;
    if (watches.size > 0) pollWithin(Math.min(waitMs, attemptMs));
  }

  return {
    join(watch: Watch) {
      watches.add(watch);
      waitMs = leastMs;
      pollWithin(waitMs);
    },
    /** Says whether that was the last one: then nothing is read any more. */
    leave(watch: Watch): boolean {
      watches.delete(watch);
      if (watches.size > 0) return false;
      clearTimeout(timer);
      pace.remove(poll);
      return true;
    },
    end() {
      for (const watch of watches) watch.close();
    },
  };
}
