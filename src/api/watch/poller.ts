import { sha256 } from '../../config/api-keys.ts';
import { TemporalUnavailable } from '../../temporal/errors.ts';
import type { Task } from '../views/schemas.ts';
import type { Throttle } from './throttle.ts';

/**
 * The waits before a task is read again. The wait is the minimum at first and after a change. It doubles up to the
 * maximum while nothing changes. While Temporal is unavailable, it is `unavailableWaitMs`.
 */
const minimumWaitMs = 250;
const maximumWaitMs = 5_000;
const unavailableWaitMs = 1_000;

type Subscriber = { offer: (task: Task, stateId: string) => boolean; close: () => void };

/** Returns a fingerprint of a task's state. It is the same in every process. */
export const toStateId = (task: Task) => sha256(JSON.stringify(task)).toString('hex').slice(0, 16);

/**
 * Reads one task repeatedly for all its subscribers. The wait doubles while nothing changes. When the task's next
 * attempt is due, the task is read even if the wait is not over. A subscriber has already read the task when it is
 * added. It gets only the results of reads that begin later, so it never gets a state older than the one it has. If
 * the task no longer exists, all subscribers are closed.
 */
export function createPoller(readTask: () => Promise<Task>, throttle: Throttle) {
  const subscribers = new Set<Subscriber>();
  let waitMs = minimumWaitMs;
  let dueAt = 0;
  let timer: NodeJS.Timeout | undefined;

  function pollWithin(ms: number) {
    const at = performance.now() + ms;
    if (timer && dueAt <= at) return;
    clearTimeout(timer);
    dueAt = at;
    timer = setTimeout(() => throttle.add(poll), ms);
  }

  async function poll() {
    const current = [...subscribers];
    let nextAttemptMs = Number.POSITIVE_INFINITY;
    try {
      const task = await readTask();
      const stateId = toStateId(task);
      const hasChanged = current.map((subscriber) => subscriber.offer(task, stateId)).includes(true);
      waitMs = hasChanged ? minimumWaitMs : Math.min(2 * waitMs, maximumWaitMs);
      if (task.nextAttemptAt) nextAttemptMs = Math.max(0, Date.parse(task.nextAttemptAt) - Date.now());
    } catch (error) {
      if (!(error instanceof TemporalUnavailable)) for (const subscriber of current) subscriber.close();
      waitMs = unavailableWaitMs;
    }
    timer = undefined;
    if (subscribers.size > 0) pollWithin(Math.min(waitMs, nextAttemptMs));
  }

  return {
    add(subscriber: Subscriber) {
      subscribers.add(subscriber);
      waitMs = minimumWaitMs;
      pollWithin(waitMs);
    },
    /** Removes a subscriber. Returns whether it was the last one. Without subscribers, the poller stops. */
    remove(subscriber: Subscriber): boolean {
      subscribers.delete(subscriber);
      if (subscribers.size > 0) return false;
      clearTimeout(timer);
      throttle.remove(poll);
      return true;
    },
    close() {
      for (const subscriber of subscribers) subscriber.close();
    },
  };
}
