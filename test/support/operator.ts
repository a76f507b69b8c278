import { randomUUID } from 'node:crypto';
import type { Holdfast } from './holdfast.ts';

/**
 * Resets a workflow to its first workflow task, as `temporal workflow reset --type FirstWorkflowTask` does. Temporal
 * then starts a new run under the same id. Returns the id of that run.
 */
export async function resetToStart({ client, config }: Pick<Holdfast, 'client' | 'config'>, workflowId: string) {
  const handle = client.workflow.getHandle(workflowId);
  const { events } = await handle.fetchHistory();
  const first = events?.find((event) => event.workflowTaskCompletedEventAttributes);
  const { runId } = await handle.describe();
  const reset = await client.workflowService.resetWorkflowExecution({
    namespace: config.temporal.namespace,
    workflowExecution: { workflowId, runId },
    reason: 'by an operator',
    requestId: randomUUID(),
    workflowTaskFinishEventId: first?.eventId,
  });
  return reset.runId;
}
