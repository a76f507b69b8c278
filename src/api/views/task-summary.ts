import type { ListedTask } from '../../temporal/lists/list-tasks.ts';
import { Problem } from '../problems/problem.ts';
import type { TaskSummary } from './schemas.ts';
import { toTaskName } from './task-id.ts';
import type { TaskView } from './task-view.ts';

/** Reads a task, or returns `undefined` if the request has read as many as it may. */
export type Read = (...task: Parameters<TaskView['readTask']>) => ReturnType<TaskView['readTask']> | undefined;

/**
 * How far the clocks of this host and of Temporal may differ. If the start of a delayed task is further away than this,
 * this host's clock decides whether the task is scheduled. Otherwise the list reads the task.
 */
export const maximumSkewMs = 600_000;

/**
 * Returns an entry of Temporal's list as an entry of the owner's list of tasks. Returns `undefined` if it is not a task
 * of this owner. Reads the task if the list does not have what the entry needs.
 */
export async function toSummary(
  owner: string,
  listed: ListedTask,
  readTask: TaskView['readTask'],
  readIfAllowed: Read,
): Promise<TaskSummary | undefined> {
  const { id, isOpen, finishedAt, memo } = listed;
  const name = toTaskName(owner, id);
  if (!name) return undefined;
  const task = memo ? undefined : await readTask(id, name).catch(skipVanished);
  const { input, submittedAt } = memo?.record ?? task ?? {};
  // Anyone with access to Temporal can start something with a task's id, so list only what has the API's record.
  if (input === undefined || submittedAt === undefined) return undefined;
  const read = () => (task ? Promise.resolve(task) : readIfAllowed(id, name));
  const toOpenStatus = async () => ((await isScheduled(listed, read)) ? 'scheduled' : 'open');
  const status = isOpen ? await toOpenStatus() : (memo?.end ?? task?.status ?? 'failed');
  return { id, name, status, input, submittedAt, ...(finishedAt && { finishedAt }) };
}

/**
 * Whether an open task still waits for the end of its start delay. If the clocks of this host and of Temporal could
 * disagree about that, the task is read. If the request may read no more tasks, this host's clock decides.
 */
async function isScheduled({ startMs, executionMs }: ListedTask, read: () => ReturnType<Read>): Promise<boolean> {
  if (executionMs <= startMs) return false;
  const aheadMs = executionMs - Date.now();
  const task = Math.abs(aheadMs) > maximumSkewMs ? undefined : read();
  return task ? (await task.catch(skipVanished))?.status === 'scheduled' : aheadMs > 0;
}

/** Ignores that a task is not found. Temporal's lists lag behind, so a listed task may already be deleted. */
export function skipVanished(error: unknown): undefined {
  if (!(error instanceof Problem && error.slug === 'not-found')) throw error;
}
