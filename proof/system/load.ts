import { ApiProblem, type HoldfastClient } from '../../cli/client/holdfast-client.ts';
import { until } from '../../cli/until.ts';
import type { Task } from '../../src/api/views/schemas.ts';
import type { TaskInput } from '../../src/tasks.ts';
import { CheckFailure, type Tools } from '../checks/check.ts';
import type { Target } from './target/target.ts';

/**
 * The number of tasks on a page of the list. Smaller pages would cost more queries for the same tasks. Larger pages
 * would contain more finished tasks, which are not needed here.
 */
const listLimit = 100;
const pollMs = 100;

export type Submitted = { tasks: Task[]; latenciesMs: number[]; seconds: number; faults: string[] };

/** Submits `count` tasks at once. A refused or lost submission becomes a fault, not an exception. */
export async function submitAtOnce(
  { holdfast, record }: Pick<Target, 'holdfast' | 'record'>,
  { check, count, input }: { check: string; count: number; input?: TaskInput<'fetch-joke'> },
  { progress, signal }: Tools,
): Promise<Submitted> {
  const result: Submitted = { tasks: [], latenciesMs: [], seconds: 0, faults: [] };
  const started = performance.now();
  let done = 0;
  const submit = async () => {
    const sentAt = Date.now();
    const sent = performance.now();
    let status = 202;
    try {
      result.tasks.push(await holdfast.submit('fetch-joke', input));
    } catch (error) {
      signal.throwIfAborted();
      status = error instanceof ApiProblem ? error.status : 0;
      result.faults.push((error as Error).message);
    }
    const latencyMs = performance.now() - sent;
    result.latenciesMs.push(latencyMs);
    record.submission(check, sentAt, latencyMs, status);
    done += 1;
    progress('Submitting', done, count);
  };
  await Promise.all(Array.from({ length: count }, submit));
  result.seconds = (performance.now() - started) / 1_000;
  return result;
}

/** Returns how many of `ids` the list still shows as open. */
export async function countOpen(holdfast: HoldfastClient, ids: Set<string>): Promise<number> {
  let open = 0;
  let cursor: string | null = null;
  do {
    const { items, nextCursor } = await holdfast.list({ limit: String(listLimit), ...(cursor && { cursor }) });
    const opened = items.filter(({ finishedAt }) => finishedAt === undefined);
    open += opened.filter(({ id }) => ids.has(id)).length;
    // The list has open tasks first. So after a page with a finished task, no page has an open task.
    cursor = opened.length === items.length ? nextCursor : null;
  } while (cursor !== null);
  return open;
}

/**
 * Waits until all tasks have ended and returns them. Polls the list, because one call of it covers many tasks and adds
 * little load. Reads each task only after the list shows none of the tasks as open.
 * @throws {CheckFailure} with the number of open tasks, if there are any after `withinMs`.
 */
export async function untilAllFinished(
  holdfast: HoldfastClient,
  tasks: Pick<Task, 'id'>[],
  { progress, signal }: Tools,
  withinMs = 120_000 + tasks.length * 100,
): Promise<Task[]> {
  const ids = new Set(tasks.map(({ id }) => id));
  const deadline = performance.now() + withinMs;
  let open = ids.size;
  const areFinished = async () => {
    open = await countOpen(holdfast, ids);
    progress('Finished', ids.size - open, ids.size);
    return open === 0;
  };
  const onTimeout = () => new CheckFailure(`${open} of ${ids.size} tasks have not ended within ${withinMs / 1_000} s`);
  await until(areFinished, { withinMs, everyMs: pollMs, signal, onTimeout });
  // The list lags behind: a task that it does not show as open may still be open. So each task is read until its end.
  return await Promise.all([...ids].map((id) => untilFinished(holdfast, id, deadline - performance.now())));
}

/**
 * Waits until a task has ended, and returns it.
 * @throws {CheckFailure} with the state of the task, if it is still open after `withinMs` or 10 s, whichever is more.
 */
export async function untilFinished(holdfast: HoldfastClient, id: string, withinMs: number): Promise<Task> {
  let task: Task | undefined;
  const find = async () => {
    task = await holdfast.read(id);
    return task.finishedAt !== undefined && task;
  };
  const onTimeout = () =>
    new CheckFailure(`Task ${id} has not ended in time: it is ${task?.status} on attempt ${task?.attempt}`);
  return await until(find, { withinMs: Math.max(withinMs, 10_000), everyMs: pollMs, onTimeout });
}
