import type { Client, WorkflowStartOptions } from '@temporalio/client';
import type { Config } from '../../config/config.ts';
import {
  type BatchArguments,
  type BatchMemo,
  type batchType,
  parseId,
  type slicedBatchType,
  type TaskArguments,
  type TaskRecord,
  workflowTaskTimeoutMs,
} from '../../contract.ts';
import type { TaskName } from '../../tasks.ts';

/** A workflow that the API starts: its type, argument and memo. */
type Submission =
  | { type: TaskName; args: [TaskArguments]; memo: TaskRecord }
  | { type: typeof batchType | typeof slicedBatchType; args: [BatchArguments]; memo: BatchMemo };

type Start = Submission & { id: string } & Pick<WorkflowStartOptions, 'startDelay' | 'priority'>;

/**
 * Creates the function that starts the workflow of a task or batch. Temporal refuses a second workflow with the same
 * id, even if two API processes start them.
 */
export const createStartWorkflow =
  (client: Client, { taskQueue }: Pick<Config, 'taskQueue'>) =>
  ({ id, type, priority, ...options }: Start) =>
    client.workflow.start(type, {
      workflowId: id,
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
      taskQueue,
      workflowTaskTimeout: workflowTaskTimeoutMs,
      // Temporal dispatches the queued work of the fairness keys in turn. An owner's backlog delays only that owner.
      priority: { ...priority, fairnessKey: parseId(id)?.ownerHash ?? '' },
      ...options,
    });

export type StartWorkflow = ReturnType<typeof createStartWorkflow>;
