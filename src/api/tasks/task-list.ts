import type { InTurn } from '../../temporal/admission.ts';
import type { Engines } from '../../temporal/engines/create-engine.ts';
import { parseCursor, toCursor, toCursorProblem } from '../http/cursor.ts';
import type { Task, TaskSummary } from '../views/schemas.ts';
import { toTaskName } from '../views/task-id.ts';
import { type Read, skipVanished, toSummary } from '../views/task-summary.ts';
import type { TaskView } from '../views/task-view.ts';
import {
  defaultPageSize,
  isClosedStatus,
  type ListQuery,
  type Position,
  positionSchema,
  toListFilter,
} from './visibility.ts';

/**
 * Temporal's list does not show statuses such as `retrying`. To filter by one of them, a request reads up to 200 open
 * tasks, 20 at once, with one or two RPCs for each.
 */
const readStatuses: (string | undefined)[] = ['queued', 'running', 'retrying', 'cancelling'];
const maximumReads = 200;
const readsAtOnce = 20;
/** A request reads at most this many pages of Temporal's list, because Temporal limits such calls to a few a second. */
const maximumPages = 5;

type ReadTask = TaskView['readTask'];
type TaskPage = { items: TaskSummary[]; nextCursor: string | null };

/**
 * Creates the function that reads a page of an owner's tasks. Open tasks come first, sorted by start time. Finished
 * tasks follow, the latest first. Each page of Temporal's list and each read of a task has a turn of its own.
 */
export const createTaskList = (engine: Pick<Engines, 'list'>, { readTask }: Pick<TaskView, 'readTask'>) => {
  const readPage = async (owner: string, query: ListQuery, { phase, token }: Position, pageSize: number) => {
    const isWanted = (id: string) => toTaskName(owner, id) !== undefined;
    const page = await engine.list({ filter: toListFilter(owner, phase, query), pageSize, token, isWanted });
    if (!page) throw toCursorProblem();
    return { tasks: page.tasks, next: toNext(phase, page.token, query.status) };
  };

  return async (owner: string, query: ListQuery, inTurn: InTurn): Promise<TaskPage> => {
    const filter = { name: query.name, status: query.status };
    const phase = isClosedStatus(query.status) ? 'closed' : 'open';
    const start: Position = query.cursor ? parseCursor(positionSchema, filter, query.cursor) : { phase, token: '' };
    const needsReads = readStatuses.includes(query.status);
    const isAnyOpen = needsReads || query.status === undefined;
    const size = Math.min(query.limit ?? defaultPageSize, needsReads ? maximumReads : 1_000);
    const listed: TaskSummary[] = [];
    const known = new Map<string, Promise<Task>>();
    const readInTurn: ReadTask = (id, name) => {
      const task = known.get(id) ?? inTurn(() => readTask(id, name));
      known.set(id, task);
      return task;
    };
    let reads = 0;
    const read: Read = (id, name) => (reads++ < maximumReads ? readInTurn(id, name) : undefined);
    let next: Position | undefined = start;
    // A page of Temporal's list may have entries that are left out. Further pages fill the answer. Finished tasks
    // follow the open ones.
    // Standalone activities are read one by one, so a request that has read many of them gets no further page.
    const maximum = needsReads ? 1 : maximumPages;
    for (let page = 0; next && listed.length < size && page < maximum && known.size < maximumReads; page += 1) {
      const position: Position = next;
      const { tasks, next: after } = await inTurn(() => readPage(owner, query, position, size - listed.length));
      const found = await mapInGroups(tasks, (task) => toSummary(owner, task, readInTurn, read));
      const items = found.filter((item) => item !== undefined);
      listed.push(...items.filter(({ status }) => isAnyOpen || status === query.status));
      next = after;
    }
    const kept = needsReads ? await keepStatus(listed, query.status, readInTurn) : listed;
    return { items: kept, nextCursor: next ? toCursor(filter, next) : null };
  };
};

/**
 * Returns where the next page begins, or `undefined` after the last page. In a list of all statuses, the finished tasks
 * follow the open ones.
 */
function toNext(phase: Position['phase'], token: string, status: ListQuery['status']): Position | undefined {
  if (token) return { phase, token };
  return phase === 'open' && status === undefined ? { phase: 'closed', token: '' } : undefined;
}

/** Returns the results of `map` in order. Runs it for at most 20 items at once. */
async function mapInGroups<T, R>(items: T[], map: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let index = 0; index < items.length; index += readsAtOnce)
    results.push(...(await Promise.all(items.slice(index, index + readsAtOnce).map(map))));
  return results;
}

/** Reads each of these open tasks and keeps those whose current status is `status`. */
async function keepStatus(items: TaskSummary[], status: ListQuery['status'], readTask: ReadTask) {
  const tasks = await mapInGroups(items, ({ id, name }) => readTask(id, name).catch(skipVanished));
  return tasks.flatMap((task) => {
    if (!task || task.status !== status) return [];
    const { id, name, input, submittedAt } = task;
    return [{ id, name, status: task.status, input, submittedAt }];
  });
}
