import type { Config } from '../../config/config.ts';
import type { Task } from '../views/schemas.ts';
import type { TaskView } from '../views/task-view.ts';
import { createPoller, toStateId } from './poller.ts';
import { createThrottle } from './throttle.ts';

/** All watched tasks together get at most 200 reads a second. At most 8 run at once. The owners share these turns. */
const reads = { concurrency: 8, intervalMs: 40 };

/** Reads a task of this owner, in a turn of the owner. */
export type ReadTask = (owner: string, ...task: Parameters<TaskView['readTask']>) => Promise<Task>;
type Dependencies = { readTask: ReadTask; config: Pick<Config, 'apiKeys'>; stopping?: AbortSignal | undefined };

/**
 * Watches tasks for callers that wait for a change. All callers that watch the same task share one poller. The poller
 * stops when its last subscription closes. When `stopping` is aborted, every subscription closes.
 */
export function createWatcher({ readTask, config, stopping }: Dependencies) {
  const pollers = new Map<string, ReturnType<typeof createPoller>>();
  const throttle = createThrottle(reads, config);
  stopping?.addEventListener('abort', () => {
    for (const poller of pollers.values()) poller.close();
  });

  return {
    /**
     * Subscribes to the changes of a task of this owner. `task` is the state that the caller has already read. If it
     * could not be read, the id and the name are enough. `stateId` is the fingerprint of the last state that the client
     * has.
     */
    watch(owner: string, task: Pick<Task, 'id' | 'name'>, stateId = toStateId(task)) {
      const { id, name } = task;
      const poller = pollers.get(id) ?? createPoller(owner, () => readTask(owner, id, name), throttle);
      pollers.set(id, poller);
      const subscription = createSubscription(stateId, () => {
        if (poller.remove(subscription)) pollers.delete(id);
      });
      poller.add(subscription);
      if (stopping?.aborted) subscription.close();
      return subscription;
    },
  };
}

export type Watcher = ReturnType<typeof createWatcher>;
export type Subscription = ReturnType<typeof createSubscription>;

/** Creates a subscription that keeps only the latest state. A slow reader skips states, so nothing queues up. */
function createSubscription(knownStateId: string, onClose: () => void) {
  let stateId = knownStateId;
  let latest: Task | undefined;
  let wake = () => {};
  const subscription = {
    isOpen: true,
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
      onClose();
      wake();
    },
  };
  return subscription;
}
