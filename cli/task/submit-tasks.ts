import type { Task } from '../../src/api/views/schemas.ts';
import type { HoldfastClient } from '../client/holdfast-client.ts';
import { SetupError } from '../setup-error.ts';
import { toFault } from './faults.ts';
import { eachOf } from './follow.ts';
import { toSummary, toTaskCount } from './lines.ts';
import type { Session } from './session.ts';

const maximumSubmissionsAtOnce = 10;

/** What to submit. `submit` is called once for each of the `count` tasks. Each call starts a new task or a rerun. */
type Order = { submit: (holdfast: HoldfastClient) => Promise<Task>; count: number; wait: boolean };

/** Submits tasks. Returns the accepted tasks and the first error. After an error or Ctrl-C it submits no more tasks. */
async function submitAll({ submit, count }: Order, { submitting, output, signal }: Session) {
  const tasks = new Map<string, Task>();
  const faults: unknown[] = [];
  await eachOf(Array.from({ length: count }), maximumSubmissionsAtOnce, async () => {
    if (signal.aborted || faults.length > 0) return;
    try {
      const task = await submit(submitting);
      tasks.set(task.id, task);
      output.task(task, { withId: true });
    } catch (error) {
      faults.push(error);
    }
  });
  return { tasks, fault: faults[0] };
}

/**
 * Submits `count` tasks and follows them until they end. Resolves with exit code 0 only if all were accepted and
 * completed. Without `wait` it does not follow them: the exit code is 0 if all were accepted.
 */
export async function submitTasks(order: Order, session: Session): Promise<number> {
  const { count, wait } = order;
  const { output, signal, target, noteOpen } = session;
  const { tasks, fault } = await submitAll(order, session);
  const error = fault === undefined ? undefined : toFault(fault, target, { isSubmission: true });
  if (signal.aborted) {
    if (tasks.size < count)
      output.note(
        tasks.size === 0
          ? 'No task was submitted.'
          : `${count - tasks.size} of ${toTaskCount(count)} were not submitted.`,
      );
    noteOpen(tasks);
    signal.throwIfAborted();
  }
  if (error !== undefined && (tasks.size === 0 || !(error instanceof SetupError))) throw error;
  if (error instanceof SetupError)
    output.note(`${error.message} Accepted before the error: ${tasks.size} of ${toTaskCount(count)}.`);
  if (!wait) {
    if (count > 1) output.summary(`${tasks.size} of ${toTaskCount(count)} submitted`);
    return tasks.size === count ? 0 : 1;
  }
  await session.follow(tasks);
  const ended = [...tasks.values()];
  if (count > 1) output.summary(toSummary(ended, count));
  return ended.length === count && ended.every(({ status }) => status === 'completed') ? 0 : 1;
}
