import type { Task, TaskList } from '../../src/api/views/schemas.ts';
import type { Session } from './session.ts';

/** The page size with `--all`, unless `--limit` sets another. */
const largePage = 200;

export type ListFlags = { name?: string; status?: string; limit?: number; all?: true };

/** Shows a task once, or with `watch` until it ends. With `watch`, the exit code is 0 only if the task completed. */
export async function showTask(id: string, watch: boolean, session: Session): Promise<number> {
  const task = await session.holdfast.read(id);
  session.output.task(task);
  if (!watch) return 0;
  const tasks = new Map<string, Task>([[id, task]]);
  await session.follow(tasks);
  return tasks.get(id)?.status === 'completed' ? 0 : 1;
}

/** Shows a page of the list, or every page with `all`. Resolves with exit code 0. */
export async function listTasks({ all, limit, ...filter }: ListFlags, { holdfast, output }: Session): Promise<number> {
  const size = limit ?? (all ? largePage : undefined);
  const query = { ...filter, ...(size !== undefined && { limit: String(size) }) };
  let shown = 0;
  let cursor: string | null = null;
  do {
    const page: TaskList = await holdfast.list({ ...query, ...(cursor !== null && { cursor }) });
    for (const item of page.items) output.listed(item);
    shown += page.items.length;
    cursor = page.nextCursor;
  } while (all && cursor !== null);
  if (cursor !== null) output.note('There are more: --all shows them.');
  else if (shown === 0) output.note('There are no such tasks.');
  return 0;
}

/** Cancels a task and shows it. A running attempt ends at its next heartbeat. Resolves with exit code 0. */
export async function cancelTask(id: string, { submitting, output }: Session): Promise<number> {
  output.task(await submitting.cancel(id));
  return 0;
}
