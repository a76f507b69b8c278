import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { TaskRecord } from '../../contract.ts';
import type { Engine } from './engine.ts';
import { readHistory, toCancelReason } from './history.ts';
import { createListTasks } from './list-tasks.ts';
import { readOpen, toAbandoned } from './open-task.ts';
import type { StartWorkflow } from './start-workflow.ts';
import { closedStatuses } from './task-state.ts';

/**
 * Runs each task as a workflow with one activity. The workflow's memo has the record. A read takes one RPC, or two if
 * the task's activity has ended.
 */
export function createWorkflowEngine(client: Client, startWorkflow: StartWorkflow): Engine {
  return {
    start: ({ name, task, record, ...start }) => startWorkflow({ ...start, type: name, args: [task], memo: record }),

    async read(id, name) {
      const description = await client.workflow.getHandle(id).describe();
      const record = description.memo as TaskRecord | undefined;
      // Anyone with access to Temporal can start a workflow with this id, so require the type and memo that the API sets.
      if (description.type !== name || !record?.submittedAt) return undefined;
      const status = closedStatuses[description.status.name];
      if (!status) return { record, state: await readOpen(client, description) };
      const end = {
        ...(await readHistory(client, id, description.runId)).state,
        ...(await toAbandoned(client, description)),
      };
      const finishedAt = description.closeTime?.toISOString();
      return { record, state: { status, ...end, attemptsMade: end.attempt, finishedAt } };
    },

    async cancel(id, state) {
      await client.workflowService.requestCancelWorkflowExecution({
        namespace: client.options.namespace,
        identity: client.options.identity,
        requestId: randomUUID(),
        workflowExecution: { workflowId: id },
        reason: toCancelReason(state),
      });
    },

    list: createListTasks(client),
    toPagePath: (id) => `workflows/${id}`,
  };
}
