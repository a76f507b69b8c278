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

type Subscriber = {
  /** Whether the subscriber wants every change. Otherwise it wants only the end. */
  wantsChanges: boolean;
  offer: (task: Task, stateId: string) => boolean;
  close: () => void;
};

/** The calls about one watched task. */
export type WatchedTask = {
  read: () => Promise<Task>;
  /** Reads the task after its end. Takes fewer RPCs than `read`. */
  readEnded: () => Promise<Task>;
  /** Makes one long poll. Returns whether the task, or one run of it, has ended. */
  awaitEnd: (signal: AbortSignal) => Promise<boolean>;
};

/** Returns a fingerprint of a task's state. Every process gets the same fingerprint for the same state. */
export const toStateId = (task: object) => sha256(JSON.stringify(task)).toString('hex').slice(0, 16);

/**
 * Reads one task repeatedly for all its subscribers. While the task does not change, the wait between two reads
 * doubles. When the task's next attempt is due, the task is read even if the wait is not over. A new subscriber has
 * already read the task. The subscriber gets only the results of reads that begin later, so it never gets a state older
 * than its own. If a read fails, all subscribers are closed, unless Temporal or this process is too busy for it.
 *
 * With `hasLongPoll`, a long poll finds the task's end, and then the task is read at once. While all subscribers want
 * only the end, nothing else is read. After a failed long poll, the repeated reads find the end.
 */
export function createPoller(
  { owner, hasLongPoll, onEmpty }: { owner: string; hasLongPoll: boolean; onEmpty: () => void },
  { read, readEnded, awaitEnd }: WatchedTask,
  throttle: Throttle,
) {
  const subscribers = new Set<Subscriber>();
  const leaving = new AbortController();
  let isAwaited = hasLongPoll;
  const job = { owner, run: poll };
  let waitMs = minimumWaitMs;
  let dueAt = 0;
  let timer: NodeJS.Timeout | undefined;
  let isReading = false;
  /** Whether `readNow` was called during a read. The caller gets nothing of that read. */
  let isReadWanted = false;

  const needsReads = () => !isAwaited || [...subscribers].some(({ wantsChanges }) => wantsChanges);

  const offer = (to: Subscriber[], task: Task) => {
    const stateId = toStateId(task);
    return to.map((subscriber) => subscriber.offer(task, stateId)).includes(true);
  };

  async function followEnd() {
    try {
      // An operator's reset ends a run, but not the task. The long poll of the next run follows.
      for (let isFinished = false; !isFinished; ) {
        while (!(await awaitEnd(leaving.signal)));
        const current = [...subscribers];
        const task = await readEnded();
        offer(current, task);
        isFinished = task.finishedAt !== undefined;
      }
    } catch {
      // The next read finds out whether Temporal is unavailable or the task is gone.
    }
    isAwaited = false;
    if (subscribers.size > 0) pollWithin(minimumWaitMs);
  }

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
    isReading = true;
    try {
      const task = await read();
      waitMs = offer(current, task) ? minimumWaitMs : Math.min(2 * waitMs, maximumWaitMs);
      if (task.nextAttemptAt) dueInMs = Date.parse(task.nextAttemptAt) - Date.now();
    } catch (error) {
      if (!isPassing(error)) for (const subscriber of current) subscriber.close();
      waitMs = unavailableWaitMs;
    }
    timer = undefined;
    isReading = false;
    if (subscribers.size > 0 && isReadWanted) pollWithin(0);
    isReadWanted = false;
    if (subscribers.size === 0 || !needsReads()) return;
    // If this host's clock is ahead of Temporal's, the attempt seems overdue until it starts. Meanwhile, the task must
    // not be read in a tight loop.
    const isDueFirst = dueInMs > 0 && dueInMs < waitMs;
    pollWithin(isDueFirst ? dueInMs : waitMs);
    if (isDueFirst) waitMs = minimumWaitMs;
  }

  if (hasLongPoll) void followEnd();
  return {
    add(subscriber: Subscriber) {
      subscribers.add(subscriber);
      waitMs = minimumWaitMs;
      if (needsReads()) pollWithin(waitMs);
    },
    /** Reads the task now, unless it is read repeatedly anyway. */
    readNow() {
      if (needsReads()) return;
      if (isReading) isReadWanted = true;
      else pollWithin(0);
    },
    /** Removes a subscriber. Without subscribers, the poller stops and calls `onEmpty`. */
    remove(subscriber: Subscriber) {
      subscribers.delete(subscriber);
      if (subscribers.size > 0) return;
      leaving.abort();
      clearTimeout(timer);
      throttle.remove(job);
      onEmpty();
    },
    close() {
      for (const subscriber of subscribers) subscriber.close();
    },
  };
}

export type Poller = ReturnType<typeof createPoller>;
