import type { TaskName } from '../tasks.ts';
import { runTask } from './run-task.ts';

/** The workflow types of batches name no task. The batch's input names the task. */
export { runBatch as 'run-batch', runBatch as 'run-batch-in-slices' } from './run-batch.ts';
export { runChunk as 'run-chunk' } from './run-chunk.ts';
export { runChunkInSlices as 'run-chunk-in-slices' } from './run-chunk-in-slices.ts';
/**
 * The workflow type is the task's name. The SDK would run a default export for every unknown type. This file has no
 * default export, so an unknown task waits for a newer worker.
 */
export { runTask as 'fetch-joke' };

/** This statement does not compile if a task of the catalogue has no export here. */
({}) as typeof import('./index.ts') satisfies Record<TaskName, typeof runTask>;
