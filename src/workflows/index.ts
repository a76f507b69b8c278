import type { TaskName } from '../tasks.ts';
import { runTask } from './run-task.ts';

/** The register: the workflow type is the task's name. No default export: an unknown task waits for a newer worker. */
export { runTask as 'fetch-joke' };

/** The compiler names a task of the catalogue that has no export here. */
({}) as typeof import('./index.ts') satisfies Record<TaskName, typeof runTask>;
