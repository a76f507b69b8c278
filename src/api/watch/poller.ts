import { sha256 } from '../../config/api-keys.ts';
import { isPassing } from '../../temporal/errors.ts';
import type { Task } from '../views/schemas.ts';
import type { Throttle } from './throttle.ts';

/**
 * The waits between two reads of a task. The wait is the minimum at first, after a change and for a new subscriber.
 * While the task does not change, the wait doubles up to the maximum. While Temporal is unavailable, the wait is
 * `unavailableWaitMs`.
 */
const minimumWaitMs = 250;
const maximumWaitMs = 5_000;
const unavailableWaitMs = 1_000;

type Subscriber = { offer: (task: Task, stateId: string) => boolean; close: () => void };

/** Returns a fingerprint of a task's state. Every process gets the same fingerprint for the same state. */
export const toStateId = (task: object) => sha256(JSON.stringify(task)).toString('hex').slice(0, 16);

/**
 * Reads one task repeatedly for all its subscribers. While the task does not change, the wait between two reads
 * doubles. When the task's next attempt is due, the task is read even if the wait is not over. A new subscriber has
 * already read the task. The subscriber gets only the results of reads that begin later, so it never gets a state older
 * than its own. If a read fails, all subscribers are closed, unless Temporal or this process is too busy for it.
 */
export function createPoller(owner: string, readTask: () => Promise<Task>, throttle: Throttle) {
  const subscribers = new Set<Subscriber>();
  const job = { owner, run: poll };
  let waitMs = minimumWaitMs;
  let dueAt = 0;
  let timer: NodeJS.Timeout | undefined;

  function pollWithin(ms: number) {
    const at = performance.now() + ms;
    if (timer && dueAt <= at) return;
    clearTimeout(timer);
    dueAt = at;
    timer = setTimeout(() => throttle.add(job), ms);
  }

  async function poll() {
    const current = [...subscribers];
    let dueInMs = 0;
    try {
      const task = await readTask();
      const stateId = toStateId(task);
      const hasChanged = current.map((subscriber) => subscriber.offer(task, stateId)).includes(true);
      waitMs = hasChanged ? minimumWaitMs : Math.min(2 * waitMs, maximumWaitMs);
      if (task.nextAttemptAt) dueInMs = Date.parse(task.nextAttemptAt) - Date.now();
    } catch (error) {
      if (!isPassing(error)) for (const subscriber of current) subscriber.close();
      waitMs = unavailableWaitMs;
    }
    timer = undefined;
    if (subscribers.size === 0) return;
    // If this host's clock is ahead of Temporal's, the attempt seems overdue until it starts. Meanwhile, the task must
    // not be read in a tight loop.
    const isDueFirst = dueInMs > 0 && dueInMs < waitMs;
    pollWithin(isDueFirst ? dueInMs : waitMs);
    if (isDueFirst) waitMs = minimumWaitMs;
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
      throttle.remove(job);
      return true;
    },
    close() {
      for (const subscriber of subscribers) subscriber.close();
    },
  };
}
