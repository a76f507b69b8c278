import type { TaskName } from '../tasks.ts';
import { runTask } from './run-task.ts';

/** Batches run any task: a batch's name stands in its id and its input. */
export { runBatch as 'run-batch' } from './run-batch.ts';
export { runChunk as 'run-chunk' } from './run-chunk.ts';
/** The register: the workflow type is the task's name. No default export: an unknown task waits for a newer worker. */
export { runTask as 'fetch-joke' };

/** The compiler names a task of the catalogue that has no export here. */
({}) as typeof import('./index.ts') satisfies Record<TaskName, typeof runTask>;
