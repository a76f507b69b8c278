import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { TaskRecord } from '../../contract.ts';
import { longPoll } from '../deadline.ts';
import { HistoryEventFilterType, toEpochMs, toMemo } from '../payloads.ts';
import type { Engine } from './engine.ts';
import { readHistory, toCancelReason } from './history.ts';
import { readOpen, toAbandoned } from './open-task.ts';
import type { StartWorkflow } from './start-workflow.ts';
import { closedStatuses } from './task-state.ts';

/**
 * Runs each task as a workflow with one activity. The workflow's memo has the record. A read takes one RPC, or two if
 * the task's activity has ended.
 */
export function createWorkflowEngine(client: Client, startWorkflow: StartWorkflow): Engine {
  const engine: Engine = {
    start: ({ name, task, record, ...start }) => startWorkflow({ ...start, type: name, args: [task], memo: record }),

    async read(id, name) {
      const description = await client.workflow.getHandle(id).describe();
      const record = description.memo as TaskRecord | undefined;
      // Anyone with access to Temporal can start a workflow with this id, so require the type and memo of the API.
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

    // The history of a task that has completed or failed has everything, the memo included.
    async readEnded(id, name) {
      const { first, last, state } = await readHistory(client, id);
      const start = first?.workflowExecutionStartedEventAttributes;
      const record = (await toMemo(client, start?.memo)) as Partial<TaskRecord> as TaskRecord;
      const isFailed = Boolean(last?.workflowExecutionFailedEventAttributes);
      const isEnded = isFailed || Boolean(last?.workflowExecutionCompletedEventAttributes);
      if (!isEnded || start?.workflowType?.name !== name || !record.submittedAt) return engine.read(id, name);
      const finishedAt = new Date(toEpochMs(last?.eventTime)).toISOString();
      const status = isFailed ? 'failed' : 'completed';
      return { record, state: { status, ...state, attemptsMade: state.attempt, finishedAt } };
    },

    async awaitEnd(id, signal) {
      const { history } = await longPoll(signal, () =>
        client.workflowService.getWorkflowExecutionHistory({
          namespace: client.options.namespace,
          execution: { workflowId: id },
          waitNewEvent: true,
          historyEventFilterType: HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT,
          skipArchival: true,
        }),
      );
      return Boolean(history?.events?.length);
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

    toPagePath: (id) => `workflows/${id}`,
  };
  return engine;
}
