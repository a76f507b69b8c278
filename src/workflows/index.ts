import type { TaskName } from '../tasks.ts';
import { runTask } from './run-task.ts';

/** One type for all batches: the input names the task. */
export { runBatch as 'run-batch' } from './run-batch.ts';
export { runChunk as 'run-chunk' } from './run-chunk.ts';
/** The workflow type is the task's name. Without a default export an unknown task waits for a newer worker. */
export { runTask as 'fetch-joke' };

/** The compiler reports a task of the catalogue that has no export here. */
({}) as typeof import('./index.ts') satisfies Record<TaskName, typeof runTask>;
