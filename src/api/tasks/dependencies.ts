import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Config } from '../../config/config.ts';
import type { Admission } from '../../temporal/admission.ts';
import type { Engines } from '../../temporal/engines/create-engine.ts';
import type { ApiEnvironment } from '../http/auth.ts';
import type { SubmissionMiddleware } from '../submissions/submission.ts';
import type { TaskView } from '../views/task-view.ts';
import type { Watcher } from '../watch/watch.ts';
import type { StartTask } from './start-task.ts';

export type TaskApp = OpenAPIHono<ApiEnvironment>;

/** What the operations on tasks need. Each operation takes only what it uses. */
export type TaskDependencies = {
  config: Config;
  engine: Engines;
  admission: Admission;
  view: TaskView;
  watcher: Watcher;
  startTask: StartTask;
  submission: SubmissionMiddleware;
};
