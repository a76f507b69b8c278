import { z } from '@hono/zod-openapi';
import type { Client } from '@temporalio/client';
import { type Failure, toFailure, toResult } from '../../temporal/payloads.ts';
import { type ActivityState, type HistoryEvent, toActivityStates, toReason } from './activity-state.ts';
import { type FinalFailure, failureSchema, type Task } from './schemas.ts';

/** The failure of a task, or of an item of a batch, that an operator ended. */
export const terminated: FinalFailure = {
  type: 'Terminated',
  message: 'The task was terminated by an operator',
  reason: 'terminated',
};

/**
 * Reads what only the history knows of a task whose activity is no longer pending: the number of the last attempt, the failure
 * before it, and the output or failure at the end. One call for about ten events.
 */
export async function readHistory(client: Client, workflowId: string, runId: string) {
  const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const events = history.events ?? [];
  const [activity] = (await toActivityStates(client, events)).values();
  const cancelled = parseCancelReason(events);
  const lastFailure = activity?.lastFailure ?? cancelled?.lastFailure;
  return {
    attempt: activity?.attemptsMade || cancelled?.attempt || 1,
    ...(lastFailure && { lastFailure }),
    ...(await toEnd(client, events.at(-1) ?? {})),
  };
}

/** The output or failure in the last event of a task's history. */
async function toEnd(client: Client, last: HistoryEvent): Promise<{ output?: unknown; failure?: Task['failure'] }> {
  const completed = last.workflowExecutionCompletedEventAttributes;
  if (completed) return { output: await toResult(client, completed.result) };
  const failure = last.workflowExecutionFailedEventAttributes?.failure;
  if (failure) {
    const reason = toReason(failure.activityFailureInfo?.retryState);
    return { failure: { ...(await toFailure(client, failure)), reason } };
  }
  if (last.workflowExecutionTimedOutEventAttributes) {
    return {
      failure: { type: 'TemporalTimeout:Workflow', message: 'The task ran out of its time', reason: 'timed-out' },
    };
  }
  return last.workflowExecutionTerminatedEventAttributes ? { failure: terminated } : {};
}

/**
 * Returns the reason that a cancellation carries into the history. Temporal forgets the attempts of an activity that is cancelled
 * between two of them, so the reason has the number of the last attempt made and its failure.
 */
export const toCancelReason = ({ attemptsMade, lastFailure }: Pick<ActivityState, 'attemptsMade' | 'lastFailure'>) =>
  JSON.stringify({ attempt: Math.max(1, attemptsMade), lastFailure });

const cancelReason = z.object({ attempt: z.int().min(1), lastFailure: failureSchema.optional() });

/** Our own reason of the cancellation, if there is one. Operators give reasons of their own. */
function parseCancelReason(events: HistoryEvent[]): { attempt: number; lastFailure?: Failure | undefined } | undefined {
  const requested = events.findLast((event) => event.workflowExecutionCancelRequestedEventAttributes);
  try {
    return cancelReason.parse(JSON.parse(requested?.workflowExecutionCancelRequestedEventAttributes?.cause ?? ''));
  } catch {
    return undefined;
  }
}
