import type { Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { parseId, type TaskRecord } from '../../contract.ts';
import { type ClosedStatus, closedStatuses } from '../engines/task-state.ts';
import { isInvalidPageToken } from '../errors.ts';
import { toEpochMs, toMemo, WorkflowExecutionStatus } from '../payloads.ts';
import { type ListFilter, toListQuery } from './list-query.ts';

type Execution = temporal.api.workflow.v1.IWorkflowExecutionInfo;

/** `token` is Temporal's page token in base64, or empty for the first page. Tasks with unwanted ids are left out. */
export type ListRequest = {
  filter: ListFilter;
  pageSize: number;
  token: string;
  isWanted: (id: string) => boolean;
};

/** A task as Temporal's list shows it, without its state. */
export type ListedTask = {
  id: string;
  isOpen: boolean;
  finishedAt: string | undefined;
  startMs: number;
  /** When the task's start delay ends. */
  executionMs: number;
  /** Set for workflows only. Temporal's list has no memo of a standalone activity, so the task has to be read. */
  memo?: { record: Partial<TaskRecord>; end: ClosedStatus | undefined };
};

const toId = ({ execution }: Execution) => execution?.workflowId ?? '';
const isActivity = (execution: Execution) => parseId(toId(execution))?.kind === 'activity';

/** Creates the function that lists the current runs of a page of Temporal's list. */
export const createListTasks =
  (client: Client) =>
  async ({ filter, pageSize, token, isWanted }: ListRequest) => {
    const { namespace } = client.options;
    const page = await listPage(client, { namespace, query: toListQuery(filter), pageSize }, token);
    if (!page) return undefined;
    const wanted = (page.executions ?? []).filter((execution) => isWanted(toId(execution)));
    const current = await keepCurrentRuns(client, namespace, wanted);
    return {
      tasks: await Promise.all(current.map((execution) => toListedTask(client, execution))),
      token: Buffer.from(page.nextPageToken ?? []).toString('base64'),
    };
  };

async function toListedTask(client: Client, execution: Execution): Promise<ListedTask> {
  const statusName =
    WorkflowExecutionStatus[execution.status ?? 0]
      ?.replace('WORKFLOW_EXECUTION_STATUS_', '')
      .replace('CANCELED', 'CANCELLED') ?? '';
  const end = closedStatuses[statusName];
  return {
    id: toId(execution),
    isOpen: end === undefined,
    finishedAt: execution.closeTime ? new Date(toEpochMs(execution.closeTime)).toISOString() : undefined,
    startMs: toEpochMs(execution.startTime),
    executionMs: toEpochMs(execution.executionTime),
    ...(!isActivity(execution) && { memo: { record: await toMemo(client, execution.memo), end } }),
  };
}

/**
 * Keeps the executions that are the current run of their task. An operator's reset ends a run and starts another under
 * the same id, and Temporal lists both. An open run is always the current one. For finished workflows, one call counts
 * the runs of their ids. Only if an id has several runs, another call lists them.
 */
async function keepCurrentRuns(client: Client, namespace: string, executions: Execution[]): Promise<Execution[]> {
  const runs = [...executions];
  const finished = executions.filter((execution) => execution.closeTime && !isActivity(execution));
  if (finished.length > 0) {
    const ids = [...new Set(finished.map(toId))];
    const query = `WorkflowId IN (${ids.map((id) => `'${id}'`).join(', ')})`;
    const { count } = await client.workflowService.countWorkflowExecutions({ namespace, query });
    if (Number(count) !== finished.length) runs.push(...(await listAll(client, namespace, query)));
  }
  const latest = new Map<string, Execution>();
  for (const run of runs) {
    const known = latest.get(toId(run));
    if (!known || toEpochMs(run.startTime) > toEpochMs(known.startTime)) latest.set(toId(run), run);
  }
  return executions.filter((run) => latest.get(toId(run))?.execution?.runId === run.execution?.runId);
}

type PageRequest = { namespace: string; query: string; pageSize: number };

/** Lists a page of executions. Returns `undefined` if the page token did not come from Temporal. */
async function listPage({ workflowService }: Client, request: PageRequest, token: string) {
  const nextPageToken = Buffer.from(token, 'base64');
  try {
    return await workflowService.listWorkflowExecutions({ ...request, nextPageToken });
  } catch (error) {
    if (!token || !isInvalidPageToken(error)) throw error;
    // These codes can also mean a failure of the server. In that case the call fails without the token as well.
    await workflowService.listWorkflowExecutions({ ...request, pageSize: 1 });
    return undefined;
  }
}

async function listAll({ workflowService }: Client, namespace: string, query: string): Promise<Execution[]> {
  const all: Execution[] = [];
  let nextPageToken: Uint8Array | null | undefined;
  do {
    const page = await workflowService.listWorkflowExecutions({ namespace, query, pageSize: 1_000, nextPageToken });
    all.push(...(page.executions ?? []));
    nextPageToken = page.nextPageToken;
  } while (nextPageToken?.length);
  return all;
}
