import type { Task } from '../views/schemas.ts';
import type { TaskView } from '../views/task-view.ts';
import { createPace } from './pace.ts';
import { createPoller, toStateId } from './poller.ts';

/** 200 reads a second for all watches of this process together, and never so many at once that requests wait behind them. */
const pacing = { lanes: 8, jobMs: 40 };

/**
 * Watches tasks for whoever waits for a change: one poller a task, however many watch it, until the last one has left. `watch` begins
 * at the state that the caller has just read; `stopping` ends every watch.
 */
export function createWatcher({ readTask }: Pick<TaskView, 'readTask'>, stopping?: AbortSignal) {
  const pollers = new Map<string, ReturnType<typeof createPoller>>();
  const pace = createPace(pacing);
  stopping?.addEventListener('abort', () => {
    for (const poller of pollers.values()) poller.end();
  });

  return {
    watch(task: Task) {
      const { id, name } = task;
      const poller = pollers.get(id) ?? createPoller(() => readTask(id, name), pace);
      pollers.set(id, poller);
      const watch = createWatch(toStateId(task), () => {
        if (poller.leave(watch)) pollers.delete(id);
      });
      poller.join(watch);
      if (stopping?.aborted) watch.close();
      return watch;
    },
  };
}

export type Watcher = ReturnType<typeof createWatcher>;
export type Watch = ReturnType<typeof createWatch>;

/** Keeps the latest state alone until it is taken: who reads slowly skips states, and nothing queues. */
function createWatch(known: string, leave: () => void) {
  let stateId = known;
  let latest: Task | undefined;
  let wake = () => {};
  const watch = {
    isOpen: true,
    offer(task: Task, its: string): boolean {
      if (its === stateId) return false;
      stateId = its;
      latest = task;
      wake();
      return true;
    },
    /** The task once it was seen changed; undefined when that took longer than `ms`, or the watch is closed. */
    async next(ms: number): Promise<Task | undefined> {
      if (!latest && watch.isOpen) {
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
      if (!watch.isOpen) return;
      watch.isOpen = false;
      leave();
      wake();
    },
  };
  return watch;
}
