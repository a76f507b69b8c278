import type { TaskName } from '../tasks.ts';
import { runTask } from './run-task.ts';

/** The register: the workflow type is the task's name. No default export: an unknown task waits for a newer worker. */
export { runTask as 'fetch-joke' };

/** One export a task; the compiler names the one that is missing here. */
({ 'fetch-joke': runTask }) satisfies Record<TaskName, typeof runTask>;
