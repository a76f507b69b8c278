import type { TaskDependencies } from '../tasks/dependencies.ts';
import type { BatchView } from './batch-view.ts';
import type { StartBatch } from './start-batch.ts';

/** What the operations on batches need. */
export type BatchDependencies = Pick<TaskDependencies, 'client' | 'admission' | 'submission'> & {
  view: BatchView;
  startBatch: StartBatch;
};
