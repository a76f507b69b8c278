import type { Config } from '../../config/config.ts';
import type { TaskName } from '../../tasks.ts';
import { createShares } from '../../temporal/shares.ts';
import type { Task } from '../views/schemas.ts';
import { createPoller, type Poller, toStateId, type WatchedTask } from './poller.ts';
import { createThrottle } from './throttle.ts';

/** All watched tasks together get at most 200 reads a second. At most 8 run at once. The owners share these turns. */
const reads = { concurrency: 8, intervalMs: 40 };

/**
 * The maximum number of long polls in this process. The owners share them. Temporal allows 1,200 in a namespace, enough
 * for two API processes.
 */
const maximumLongPolls = 500;

/** The calls about watched tasks. The reads happen in a turn of the owner. */
export type WatchedTasks = {
  read: (owner: string, id: string, name: TaskName) => Promise<Task>;
  readEnded: (owner: string, id: string, name: TaskName) => Promise<Task>;
  awaitEnd: (id: string, signal: AbortSignal) => Promise<boolean>;
};
type Dependencies = { tasks: WatchedTasks; config: Pick<Config, 'apiKeys'>; stopping?: AbortSignal | undefined };

/**
 * Watches tasks for callers that wait for a change. All callers that watch the same task share one poller, which has a
 * long poll for the task's end while places are free. The poller stops when its last subscription closes. When
 * `stopping` is aborted, every subscription closes.
 */
export function createWatcher({ tasks, config, stopping }: Dependencies) {
  const pollers = new Map<string, Poller>();
  const throttle = createThrottle(reads, config);
  const longPolls = createShares(() => maximumLongPolls, config);
  stopping?.addEventListener('abort', () => {
    for (const poller of pollers.values()) poller.close();
  });

  function findPoller(owner: string, { id, name }: Pick<Task, 'id' | 'name'>) {
    const found = pollers.get(id);
    if (found) return found;
    const hasLongPoll = longPolls.take(owner);
    const onEmpty = () => {
      pollers.delete(id);
      if (hasLongPoll) longPolls.release(owner);
    };
    const calls: WatchedTask = {
      read: () => tasks.read(owner, id, name),
      readEnded: () => tasks.readEnded(owner, id, name),
      awaitEnd: (signal) => tasks.awaitEnd(id, signal),
    };
    const poller = createPoller({ owner, hasLongPoll, onEmpty }, calls, throttle);
    pollers.set(id, poller);
    return poller;
  }

  function subscribe(owner: string, task: Pick<Task, 'id' | 'name'>, stateId: string, wantsChanges: boolean) {
    const subscription = createSubscription(findPoller(owner, task), stateId, wantsChanges);
    if (stopping?.aborted) subscription.close();
    return subscription;
  }

  return {
    /**
     * Subscribes to the changes of a task of this owner. `task` is the state that the caller has already read. If it
     * could not be read, the id and the name are enough. `stateId` is the fingerprint of the last state that the client
     * has.
     */
    watch: (owner: string, task: Pick<Task, 'id' | 'name'>, stateId = toStateId(task)) =>
      subscribe(owner, task, stateId, true),

    /** Like `watch`, for a caller that wants only the end. It may also get changes. `readNow` causes a read at once. */
    watchEnd: (owner: string, task: Task) => subscribe(owner, task, toStateId(task), false),
  };
}

export type Watcher = ReturnType<typeof createWatcher>;
export type Subscription = ReturnType<typeof createSubscription>;

/** Creates a subscription that keeps only the latest state. A slow reader skips states, so nothing queues up. */
function createSubscription(poller: Poller, knownStateId: string, wantsChanges: boolean) {
  let stateId = knownStateId;
  let latest: Task | undefined;
  let wake = () => {};
  const subscription = {
    isOpen: true,
    wantsChanges,
    readNow: poller.readNow,
    /**
     * If `task` differs from the last known state, keeps `task` for `next` and returns true. Closes the subscription if
     * its reader already has the final state.
     */
    offer(task: Task, offeredStateId: string): boolean {
      if (offeredStateId === stateId) {
        if (task.finishedAt && !latest) subscription.close();
        return false;
      }
      stateId = offeredStateId;
      latest = task;
      wake();
      return true;
    },
    /** Returns the task after its next change; `undefined` if `ms` pass or the subscription closes before a change. */
    async next(ms: number): Promise<Task | undefined> {
      if (!latest && subscription.isOpen) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      const task = latest;
      latest = undefined;
      return task;
    },
    close() {
      if (!subscription.isOpen) return;
      subscription.isOpen = false;
      poller.remove(subscription);
      wake();
    },
  };
  poller.add(subscription);
  return subscription;
}
