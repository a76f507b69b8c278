import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { toEpochMs, WorkflowTaskFailedCause } from '../payloads.ts';
import type { Stuck } from './task-state.ts';

/** A workflow counts as stuck from this attempt of its workflow task on. Single failures pass within seconds. */
const stuckFromAttempt = 3;

/**
 * The number of latest events that are read to find the failure of the workflow task. Signals can follow it. In a
 * chunk, the ends of 500 items can follow it, with two events each.
 */
const lastEvents = 1_100;

type Described = Pick<WorkflowExecutionDescription, 'raw' | 'workflowId' | 'runId'>;

/**
 * Returns why an open workflow cannot go on, or `undefined` if it can. A workflow cannot go on while its workflow task
 * fails each time that Temporal repeats it. Makes an RPC only for such a workflow.
 */
export async function readStuck(
  client: Client,
  { raw, workflowId, runId }: Described,
): Promise<{ stuck: Stuck } | undefined> {
  if ((raw.pendingWorkflowTask?.attempt ?? 1) < stuckFromAttempt) return undefined;
  const { history } = await client.workflowService.getWorkflowExecutionHistoryReverse({
    namespace: client.options.namespace,
    execution: { workflowId, runId },
    maximumPageSize: lastEvents,
  });
  // Temporal records only the first failure in a row.
  const event = history?.events?.find(
    ({ workflowTaskFailedEventAttributes: failed, workflowTaskTimedOutEventAttributes: timedOut }) =>
      failed ?? timedOut,
  );
  if (!event) return undefined;
  const reason = toReason(event.workflowTaskFailedEventAttributes?.cause);
  return { stuck: { reason, since: new Date(toEpochMs(event.eventTime)).toISOString() } };
}

function toReason(cause: number | null | undefined): string {
  if (cause === WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR)
    return 'The workflow code of the workers does not fit the history of this workflow. Deploy code that fits';
  if (!cause) return 'Workers took the workflow task several times in a row, and none completed it in time';
  const name = WorkflowTaskFailedCause[cause]?.replace('WORKFLOW_TASK_FAILED_CAUSE_', '').toLowerCase() ?? '';
  return `The workflow task failed several times in a row (${name.replaceAll('_', ' ')}). See the logs of the workers`;
}
