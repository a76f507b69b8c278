import type { Client } from '@temporalio/client';
import type { TaskDependencies } from '../tasks/dependencies.ts';
import type { BatchView } from './batch-view.ts';
import type { StartBatch } from './start-batch.ts';

/** What the operations on batches need. */
export type BatchDependencies = { client: Client } & Pick<TaskDependencies, 'admission' | 'submission'> & {
    view: BatchView;
    startBatch: StartBatch;
  };
