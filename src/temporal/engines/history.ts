import type { Client } from '@temporalio/client';
import { z } from 'zod';
import { type Failure, toFailure, toResult } from '../payloads.ts';
import { type HistoryEvent, toActivityStates, toReason } from './activity-history.ts';
import { type FinalFailure, type TaskState, terminated } from './task-state.ts';

/**
 * Reads what only the history has about a task whose activity is no longer pending: the number of the last attempt, the
 * latest failure, and the output or final failure of the task. The history has about ten events, so one RPC reads it.
 * `isScheduled` says whether the history has the activity. Without `runId`, reads the latest run.
 */
export async function readHistory(client: Client, workflowId: string, runId?: string) {
  const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const events = history.events ?? [];
  const [activity] = (await toActivityStates(client, events)).values();
  const cancelled = parseCancelReason(events);
  const lastFailure = activity?.lastFailure ?? cancelled?.lastFailure;
  const state = {
    attempt: activity?.attemptsMade || cancelled?.attempt || 1,
    ...(lastFailure && { lastFailure }),
    ...(await toEnd(client, events.at(-1) ?? {}, activity?.failure)),
  };
  return { isScheduled: activity !== undefined, state, first: events[0], last: events.at(-1) };
}

/**
 * Returns the output or final failure from the last event of a task's history; `{}` if the event has neither.
 * `activityFailure` is the failure according to the activity's events. Only they tell whether an operator failed it.
 */
async function toEnd(
  client: Client,
  last: HistoryEvent,
  activityFailure: FinalFailure | undefined,
): Promise<Pick<TaskState, 'output' | 'failure'>> {
  const completed = last.workflowExecutionCompletedEventAttributes;
  if (completed) return { output: await toResult(client, completed.result) };
  const failure = last.workflowExecutionFailedEventAttributes?.failure;
  if (failure && activityFailure) return { failure: activityFailure };
  if (failure) {
    const reason = toReason(failure.activityFailureInfo?.retryState);
    return { failure: { ...(await toFailure(client, failure)), reason } };
  }
  if (last.workflowExecutionTimedOutEventAttributes) {
    const message = 'The task ran longer than its timeout';
    return { failure: { type: 'TemporalTimeout:Workflow', message, reason: 'timed-out' } };
  }
  return last.workflowExecutionTerminatedEventAttributes ? { failure: terminated } : {};
}

/**
 * Returns the reason to send with a cancellation. Temporal stores this reason in the history, but forgets the attempts
 * of an activity that is cancelled between two attempts. The reason therefore has the number and failure of the
 * last attempt.
 */
export const toCancelReason = ({ attemptsMade, lastFailure }: Pick<TaskState, 'attemptsMade' | 'lastFailure'>) =>
  JSON.stringify({ attempt: Math.max(1, attemptsMade), lastFailure });

const cancelReason = z.object({
  attempt: z.int().min(1),
  lastFailure: z.object({ type: z.string(), message: z.string(), upstreamStatus: z.int().optional() }).optional(),
});

/** Returns what `toCancelReason` wrote, or `undefined` without a cancellation or if an operator gave another reason. */
function parseCancelReason(events: HistoryEvent[]): { attempt: number; lastFailure?: Failure | undefined } | undefined {
  const requested = events.findLast((event) => event.workflowExecutionCancelRequestedEventAttributes);
  try {
    return cancelReason.parse(JSON.parse(requested?.workflowExecutionCancelRequestedEventAttributes?.cause ?? ''));
  } catch {
    return undefined;
  }
}
