import type { Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import type { Config } from '../../config/config.ts';
import type { TaskMemo } from '../../contract.ts';
import { isInvalidPageToken, isNotFound } from '../../temporal/errors.ts';
import { toEpochMs, toMemo, WorkflowExecutionStatus } from '../../temporal/payloads.ts';
import { parseCursor, toCursor, toCursorProblem } from '../http/cursor.ts';
import type { TaskSummary } from '../views/schemas.ts';
import { toTaskName } from '../views/task-id.ts';
import { closedStatuses, type TaskView } from '../views/task-view.ts';
import {
  defaultPageSize,
  isClosedStatus,
  type ListQuery,
  type Position,
  positionSchema,
  toVisibilityQuery,
} from './visibility.ts';

/**
 * Temporal's list does not show statuses such as `retrying`. To filter by one of them, a request reads up to 200 open
 * tasks, 20 at once, with one or two RPCs for each.
 */
const maximumReads = 200;
const readsAtOnce = 20;

/**
 * Creates the function that reads a page of an owner's tasks. Open tasks come first, sorted by start time. Finished
 * tasks follow, the latest first.
 */
export const createTaskList = (client: Client, { temporal: { namespace } }: Config, { readTask }: TaskView) => {
  const readPage = async (owner: string, query: ListQuery, { phase, token }: Position, pageSize: number) => {
    const request = { namespace, query: toVisibilityQuery(owner, phase, query), pageSize };
    const page = await client.workflowService
      .listWorkflowExecutions({ ...request, nextPageToken: Buffer.from(token, 'base64') })
      .catch((error: unknown) => {
        throw token && isInvalidPageToken(error) ? toCursorProblem() : error;
      });
    const listed = await Promise.all((page.executions ?? []).map((info) => toSummary(client, owner, info)));
    return {
      items: listed.filter((item) => item !== undefined),
      next: toNext(phase, Buffer.from(page.nextPageToken ?? []).toString('base64'), query.status),
    };
  };

  return async (owner: string, query: ListQuery): Promise<{ items: TaskSummary[]; nextCursor: string | null }> => {
    const filter = { name: query.name, status: query.status };
    const phase = isClosedStatus(query.status) ? 'closed' : 'open';
    const start: Position = query.cursor ? parseCursor(positionSchema, filter, query.cursor) : { phase, token: '' };
    const needsReads = ['queued', 'running', 'retrying', 'cancelling'].includes(query.status ?? '');
    const size = Math.min(query.limit ?? defaultPageSize, needsReads ? maximumReads : 1_000);
    const page = await readPage(owner, query, start, size);
    // If the open tasks do not fill the page, finished tasks follow in the same answer.
    if (page.next?.phase === 'closed' && start.phase === 'open' && page.items.length < size) {
      const rest = await readPage(owner, query, page.next, size - page.items.length);
      page.items.push(...rest.items);
      page.next = rest.next;
    }
    const items = needsReads ? await keepStatus(page.items, query.status, readTask) : page.items;
    return { items, nextCursor: page.next ? toCursor(filter, page.next) : null };
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

async function toSummary(
  client: Client,
  owner: string,
  info: temporal.api.workflow.v1.IWorkflowExecutionInfo,
): Promise<TaskSummary | undefined> {
  const id = info.execution?.workflowId ?? '';
  const name = toTaskName(owner, id);
  if (!name) return undefined;
  const { input, submittedAt } = (await toMemo(client, info.memo)) as Partial<TaskMemo>;
  // Anyone with access to Temporal can start a workflow with a task's id, so list only workflows with the API's memo.
  if (input === undefined || submittedAt === undefined) return undefined;
  const statusName =
    WorkflowExecutionStatus[info.status ?? 0]
      ?.replace('WORKFLOW_EXECUTION_STATUS_', '')
      .replace('CANCELED', 'CANCELLED') ?? '';
  const isScheduled = toEpochMs(info.executionTime) > Date.now();
  return {
    id,
    name,
    status: closedStatuses[statusName] ?? (isScheduled ? 'scheduled' : 'open'),
    input,
    submittedAt,
    ...(info.closeTime && { finishedAt: new Date(toEpochMs(info.closeTime)).toISOString() }),
  };
}

/** Reads each of these open tasks and keeps those whose current status is `status`. */
async function keepStatus(
  items: TaskSummary[],
  status: ListQuery['status'],
  readTask: TaskView['readTask'],
): Promise<TaskSummary[]> {
  const kept: TaskSummary[] = [];
  for (let index = 0; index < items.length; index += readsAtOnce) {
    const tasks = await Promise.all(
      items.slice(index, index + readsAtOnce).map(({ id, name }) => readTask(id, name).catch(skipVanished)),
    );
    for (const task of tasks) {
      if (task?.status !== status || !task) continue;
      const { id, name, input, submittedAt } = task;
      kept.push({ id, name, status: task.status, input, submittedAt });
    }
  }
  return kept;
}

/** Ignores that a task is not found. Temporal's lists lag behind, so a listed task may already be deleted. */
function skipVanished(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
}
