import { z } from '@hono/zod-openapi';
import type { Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { type Failure, RetryState, toFailure, toResult } from '../../temporal/client.ts';
import { failureSchema, type Task } from './schemas.ts';

/** The failure of what an operator ended. */
export const terminated = {
  type: 'Terminated',
  message: 'The task was terminated by an operator',
  reason: 'terminated',
} as const;

type End = { attempt: number; lastFailure?: Failure; output?: unknown; failure?: Task['failure'] };

/**
 * What only the history knows of a run whose activity is no longer pending: the number of the last attempt, the failure
 * before it, and the output or failure at the end. One call for a task's some ten events.
 */
export async function readHistory(client: Client, workflowId: string, runId: string): Promise<End> {
  const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const end: End = { attempt: 1 };
  for (const event of events ?? []) {
    const started = event.activityTaskStartedEventAttributes;
    if (started) {
      end.attempt = started.attempt ?? 1;
      if (started.lastFailure) end.lastFailure = await toFailure(client, started.lastFailure);
    }
    const last = event.activityTaskFailedEventAttributes ?? event.activityTaskTimedOutEventAttributes;
    if (last?.failure) end.lastFailure = await toFailure(client, last.failure);
    if (event.workflowExecutionCompletedEventAttributes) {
      end.output = await toResult(client, event.workflowExecutionCompletedEventAttributes.result);
    }
    Object.assign(end, parseCancelReason(event.workflowExecutionCancelRequestedEventAttributes?.cause));
    const failure = event.workflowExecutionFailedEventAttributes?.failure;
    if (failure) {
      const reason = toReason(failure.activityFailureInfo?.retryState);
      end.failure = { ...(await toFailure(client, failure)), reason };
    }
    if (event.workflowExecutionTimedOutEventAttributes) {
      end.failure = { type: 'TemporalTimeout:Workflow', message: 'The task ran out of its time', reason: 'timed-out' };
    }
    if (event.workflowExecutionTerminatedEventAttributes) {
      end.failure = terminated;
    }
  }
  return end;
}

/**
 * What a cancellation says as its reason. The server forgets the attempts of an activity that is cancelled between two
 * of them; so the last one made and its failure go into the history with the cancellation.
 */
export function toCancelReason({ status, attempt, lastFailure }: Task): string {
  const isMade = status !== 'retrying' && status !== 'queued';
  return JSON.stringify({ attempt: isMade ? attempt : Math.max(1, attempt - 1), lastFailure });
}

const cancelReason = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: 'custom', message: 'is no JSON' });
    }
  })
  .pipe(z.object({ attempt: z.int().min(1), lastFailure: failureSchema.optional() }));

/** Our own reason, or nothing for the one that an operator gave. */
function parseCancelReason(cause: string | null | undefined): Partial<End> {
  const { attempt, lastFailure } = cancelReason.safeParse(cause ?? '').data ?? {};
  return { ...(attempt && { attempt }), ...(lastFailure && { lastFailure }) };
}

/** Why no attempt followed the last one. */
export function toReason(
  retryState: temporal.api.enums.v1.RetryState | null | undefined,
): NonNullable<Task['failure']>['reason'] {
  if (retryState === RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED) return 'attempts-exhausted';
  return retryState === RetryState.RETRY_STATE_TIMEOUT ? 'timed-out' : 'non-retryable';
}
