import { z } from '@hono/zod-openapi';
import { type Client, isGrpcServiceError } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { taskNames } from '../tasks.ts';
import { grpcStatus, toMemo, WorkflowExecutionStatus } from '../temporal.ts';
import { Problem } from './problem.ts';
import { type TaskSummary, taskStatuses } from './schemas.ts';
import { toOwnerPrefix, toTaskName } from './task-id.ts';
import { closedStatuses, type TaskMemo, type TaskView } from './task-view.ts';

/** How many open tasks one request looks at closely, an RPC each, and how many of those at once. */
const closeLooks = 200;
const closeLooksAtOnce = 20;

const limit = 'must be a whole number from 1 to 1000';
export const listQuery = z.strictObject({
  name: z.enum(taskNames).optional(),
  status: z.enum([...taskStatuses, 'open']).optional(),
  limit: z
    .string()
    .regex(/^[1-9]\d{0,3}$/, limit)
    .transform(Number)
    .refine((value) => value <= 1_000, limit)
    .optional()
    .openapi({ type: 'integer', minimum: 1, maximum: 1_000, default: 50 }),
  cursor: z.string().min(1).optional().describe('`nextCursor` of the page before'),
});
type ListQuery = z.output<typeof listQuery>;

type Phase = 'open' | 'closed';
type Position = { phase: Phase; token: string };
const cursorSchema = z.strictObject({ phase: z.enum(['open', 'closed']), token: z.base64(), filter: z.string() });

const closedNames = {
  completed: ['Completed'],
  failed: ['Failed', 'Terminated', 'TimedOut'],
  cancelled: ['Canceled'],
} as const;
const isClosedStatus = (status: string | undefined): status is keyof typeof closedNames =>
  status !== undefined && status in closedNames;

/** Reads one page of an owner's tasks: the open ones first by start, then the latest finished. */
export const createTaskList = (client: Client, namespace: string, { readTask }: TaskView) => {
  const readPage = async (owner: string, query: ListQuery, { phase, token }: Position, pageSize: number) => {
    const request = { namespace, query: toVisibilityQuery(owner, phase, query), pageSize };
    const page = await client.workflowService
      .listWorkflowExecutions({ ...request, nextPageToken: Buffer.from(token, 'base64') })
      .catch((error: unknown) => {
        throw token && isRefused(error) ? toCursorProblem() : error;
      });
    const listed = await Promise.all((page.executions ?? []).map((info) => toSummary(client, owner, info)));
    return {
      items: listed.filter((item) => item !== undefined),
      next: toNext(phase, Buffer.from(page.nextPageToken ?? []).toString('base64'), query.status),
    };
  };

  return async (owner: string, query: ListQuery): Promise<{ items: TaskSummary[]; nextCursor: string | null }> => {
    const filter = `${query.name ?? ''}:${query.status ?? ''}`;
    const start: Position = query.cursor
      ? parseCursor(query.cursor, filter)
      : { phase: isClosedStatus(query.status) ? 'closed' : 'open', token: '' };
    const looksCloser = ['queued', 'running', 'retrying', 'cancelling'].includes(query.status ?? '');
    const size = Math.min(query.limit ?? 50, looksCloser ? closeLooks : 1_000);
    const page = await readPage(owner, query, start, size);
    // The open ones may end before the page is full: the finished follow in the same answer.
    if (page.next?.phase === 'closed' && start.phase === 'open' && page.items.length < size) {
      const rest = await readPage(owner, query, page.next, size - page.items.length);
      page.items.push(...rest.items);
      page.next = rest.next;
    }
    const items = looksCloser ? await keepStatus(page.items, query.status, readTask) : page.items;
    return { items, nextCursor: page.next ? toCursor({ ...page.next, filter }) : null };
  };
};

/** Where the next page begins: further in this phase, or, for a list of every status, with the finished tasks. */
function toNext(phase: Phase, token: string, status: ListQuery['status']): Position | undefined {
  if (token) return { phase, token };
  return phase === 'open' && status === undefined ? { phase: 'closed', token: '' } : undefined;
}

/** Only fields that every Temporal server indexes by itself: no search attribute has to be registered. */
function toVisibilityQuery(owner: string, phase: Phase, { name, status }: ListQuery): string {
  const types = (name ? [name] : taskNames).map((type) => `'${type}'`).join(', ');
  const closed = (isClosedStatus(status) ? closedNames[status] : Object.values(closedNames).flat())
    .map((s) => `'${s}'`)
    .join(', ');
  const now = new Date().toISOString();
  return [
    `WorkflowId STARTS_WITH '${toOwnerPrefix(owner)}'`,
    `WorkflowType IN (${types})`,
    phase === 'open' ? "ExecutionStatus = 'Running'" : `ExecutionStatus IN (${closed})`,
    ...(status === 'scheduled' ? [`ExecutionTime > '${now}'`] : []),
    ...(phase === 'open' && status !== undefined && status !== 'scheduled' && status !== 'cancelling'
      ? [`ExecutionTime <= '${now}'`]
      : []),
  ].join(' AND ');
}

async function toSummary(
  client: Client,
  owner: string,
  info: temporal.api.workflow.v1.IWorkflowExecutionInfo,
): Promise<TaskSummary | undefined> {
  const id = info.execution?.workflowId ?? '';
  const name = toTaskName(owner, id);
  if (!name) return undefined;
  const { input, submittedAt } = (await toMemo(client, info.memo)) as TaskMemo;
  const statusName =
    WorkflowExecutionStatus[info.status ?? 0]
      ?.replace('WORKFLOW_EXECUTION_STATUS_', '')
      .replace('CANCELED', 'CANCELLED') ?? '';
  const isScheduled = toMs(info.executionTime) > Date.now();
  return {
    id,
    name,
    status: closedStatuses[statusName] ?? (isScheduled ? 'scheduled' : 'open'),
    input,
    submittedAt,
    ...(info.closeTime && { finishedAt: new Date(toMs(info.closeTime)).toISOString() }),
  };
}

const toMs = (time: { seconds?: unknown; nanos?: number | null } | null | undefined) =>
  Number(time?.seconds ?? 0) * 1_000 + Math.floor((time?.nanos ?? 0) / 1e6);

/** The close look: reads each open task and keeps those that are in this status now. */
async function keepStatus(
  items: TaskSummary[],
  status: ListQuery['status'],
  readTask: TaskView['readTask'],
): Promise<TaskSummary[]> {
  const kept: TaskSummary[] = [];
  for (let index = 0; index < items.length; index += closeLooksAtOnce) {
    const tasks = await Promise.all(
      items.slice(index, index + closeLooksAtOnce).map(({ id, name }) => readTask(id, name)),
    );
    for (const task of tasks) {
      const { id, name, input, submittedAt } = task;
      if (task.status === status) kept.push({ id, name, status: task.status, input, submittedAt });
    }
  }
  return kept;
}

const toCursor = (cursor: z.infer<typeof cursorSchema>) => Buffer.from(JSON.stringify(cursor)).toString('base64url');

function parseCursor(cursor: string, filter: string): z.infer<typeof cursorSchema> {
  try {
    const parsed = cursorSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
    if (parsed.filter === filter) return parsed;
  } catch {
    // falls through to the one answer for every cursor that is not ours
  }
  throw toCursorProblem();
}

function toCursorProblem(): Problem {
  const detail = 'is not a cursor of this list with these filters';
  return new Problem('bad-request', `#/cursor: ${detail}`, { errors: [{ pointer: '#/cursor', detail }] });
}

/** What the server says to a page token that it did not make: with SQL visibility a bare UNKNOWN, else INVALID_ARGUMENT. */
const isRefused = (error: unknown) =>
  isGrpcServiceError(error) && [grpcStatus.UNKNOWN, grpcStatus.INVALID_ARGUMENT].some((code) => code === error.code);
