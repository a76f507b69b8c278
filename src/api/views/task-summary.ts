import type { Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import type { TaskMemo } from '../../contract.ts';
import { toEpochMs, toMemo, WorkflowExecutionStatus } from '../../temporal/payloads.ts';
import { Problem } from '../problems/problem.ts';
import type { TaskSummary } from './schemas.ts';
import { toTaskName } from './task-id.ts';
import { closedStatuses, type TaskView } from './task-view.ts';

type WorkflowInfo = temporal.api.workflow.v1.IWorkflowExecutionInfo;

/** Reads a task, or returns `undefined` if the request has read as many as it may. */
export type Read = (...task: Parameters<TaskView['readTask']>) => ReturnType<TaskView['readTask']> | undefined;

/**
 * How far the clocks of this host and of Temporal may differ. If the start of a delayed task is further away than this,
 * this host's clock decides whether the task is scheduled. Otherwise the list reads the task.
 */
export const maximumSkewMs = 600_000;

/**
 * Returns an entry of Temporal's list as an entry of the owner's list of tasks. Returns `undefined` if it is not a task
 * of this owner.
 */
export async function toSummary(
  client: Client,
  owner: string,
  info: WorkflowInfo,
  read: Read,
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
  const toOpenStatus = async () => ((await isScheduled(info, () => read(id, name))) ? 'scheduled' : 'open');
  return {
    id,
    name,
    status: closedStatuses[statusName] ?? (await toOpenStatus()),
    input,
    submittedAt,
    ...(info.closeTime && { finishedAt: new Date(toEpochMs(info.closeTime)).toISOString() }),
  };
}

/**
 * Whether an open task still waits for the end of its start delay. If the clocks of this host and of Temporal could
 * disagree about that, the task is read. If the request may read no more tasks, this host's clock decides.
 */
async function isScheduled(info: WorkflowInfo, read: () => ReturnType<Read>): Promise<boolean> {
  const executionMs = toEpochMs(info.executionTime);
  if (executionMs <= toEpochMs(info.startTime)) return false;
  const aheadMs = executionMs - Date.now();
  const task = Math.abs(aheadMs) > maximumSkewMs ? undefined : read();
  return task ? (await task.catch(skipVanished))?.status === 'scheduled' : aheadMs > 0;
}

/** Ignores that a task is not found. Temporal's lists lag behind, so a listed task may already be deleted. */
export function skipVanished(error: unknown): undefined {
  if (!(error instanceof Problem && error.slug === 'not-found')) throw error;
}
