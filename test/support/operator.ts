import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { defaultPayloadConverter } from '@temporalio/common';
import type { Holdfast } from './holdfast.ts';

// The tests make the calls of Temporal's command line themselves, because a machine may have only Temporal's server.
type Access = Pick<Holdfast, 'client' | 'config'>;

/** The name under which Temporal's command line acts. */
const identity = `temporal-cli:${userInfo().username}@localhost`;

const hour = { seconds: 3_600 as never };

/** Returns the commands `temporal activity …` for the task `workflowId`, or for an item of a chunk. */
export function createActivityCommands({ client, config }: Access, workflowId: string, id = '1') {
  const { workflowService } = client;
  const { namespace } = config.temporal;
  const reference = { namespace, execution: { workflowId }, id, identity };
  const byId = { namespace, workflowId, activityId: id, identity };
  return {
    pause: () => workflowService.pauseActivity(reference),
    unpause: () => workflowService.unpauseActivity(reference),
    reset: () => workflowService.resetActivity(reference),
    setMaximumAttempts: (maximumAttempts: number) =>
      workflowService.updateActivityOptions({
        ...reference,
        activityOptions: { retryPolicy: { maximumAttempts } },
        updateMask: { paths: ['retry_policy.maximum_attempts'] },
      }),
    /** Stretches the wait for the next attempt to an hour. */
    stretchWait: () =>
      workflowService.updateActivityOptions({
        ...reference,
        activityOptions: { retryPolicy: { initialInterval: hour, maximumInterval: hour } },
        updateMask: { paths: ['retry_policy.initial_interval', 'retry_policy.maximum_interval'] },
      }),
    complete: (result: object) =>
      workflowService.respondActivityTaskCompletedById({
        ...byId,
        result: { payloads: [defaultPayloadConverter.toPayload(result)] },
      }),
    fail: (message: string) =>
      workflowService.respondActivityTaskFailedById({
        ...byId,
        failure: { message, source: 'CLI', applicationFailureInfo: { nonRetryable: true } },
      }),
  };
}

/** Returns the commands `temporal activity …` for a standalone activity. */
export function createStandaloneCommands({ client, config }: Access, activityId: string) {
  const { workflowService } = client;
  const reference = { namespace: config.temporal.namespace, activityId, identity };
  const toRequest = () => ({ ...reference, requestId: randomUUID() });
  return {
    pause: () => workflowService.pauseActivityExecution({ ...toRequest(), reason: 'the upstream is being moved' }),
    unpause: () => workflowService.unpauseActivityExecution(toRequest()),
    reset: () => workflowService.resetActivityExecution(toRequest()),
    setMaximumAttempts: (maximumAttempts: number) =>
      workflowService.updateActivityExecutionOptions({
        ...toRequest(),
        activityOptions: { retryPolicy: { maximumAttempts } },
        updateMask: { paths: ['retry_policy.maximum_attempts'] },
      }),
    fail: (message: string) =>
      workflowService.respondActivityTaskFailedById({
        ...reference,
        failure: { message, source: 'CLI', applicationFailureInfo: { nonRetryable: true } },
      }),
    delete: () => workflowService.deleteActivityExecution(reference),
  };
}

async function resetWorkflow({ client, config }: Access, workflowId: string, which: 'find' | 'findLast') {
  const handle = client.workflow.getHandle(workflowId);
  const { events } = await handle.fetchHistory();
  const task = events?.[which]((event) => event.workflowTaskCompletedEventAttributes);
  const { runId } = await handle.describe();
  const reset = await client.workflowService.resetWorkflowExecution({
    namespace: config.temporal.namespace,
    workflowExecution: { workflowId, runId },
    reason: 'by an operator',
    requestId: randomUUID(),
    workflowTaskFinishEventId: task?.eventId,
  });
  return reset.runId;
}

/**
 * Resets a workflow to its first workflow task, as `temporal workflow reset --type FirstWorkflowTask` does. Temporal
 * then starts a new run under the same id. Returns the id of that run.
 */
export const resetToStart = (access: Access, workflowId: string) => resetWorkflow(access, workflowId, 'find');

/** Resets a workflow to its last workflow task, as `temporal workflow reset --type LastWorkflowTask` does. */
export const resetToLastTask = (access: Access, workflowId: string) => resetWorkflow(access, workflowId, 'findLast');
