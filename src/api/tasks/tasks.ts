import { OpenAPIHono } from '@hono/zod-openapi';
import type { Client } from '@temporalio/client';
import type { Context } from 'hono';
import type { Config } from '../../config/config.ts';
import { taskNames, tasks } from '../../tasks.ts';
import type { Admission } from '../../temporal/admission.ts';
import type { StartOnce } from '../../temporal/start-once.ts';
import type { ApiEnvironment } from '../http/auth.ts';
import { noInput, readBody, toInput } from '../http/body.ts';
import { toQuery } from '../http/query.ts';
import { Problem, toMethodProblem } from '../problems/problem.ts';
import { type Caller, readCaller } from '../submissions/caller.ts';
import type { SubmissionMiddleware } from '../submissions/submission.ts';
import { requireTaskName } from '../views/task-id.ts';
import type { TaskView } from '../views/task-view.ts';
import { answerAccepted } from '../watch/wait.ts';
import type { Watcher } from '../watch/watch.ts';
import { createSubmit, type Submission } from './submit.ts';
import { createTaskList } from './task-list.ts';
import { submitQuery, taskRoutes } from './task-routes.ts';

type TaskDependencies = {
  client: Client;
  config: Config;
  admission: Admission;
  view: TaskView;
  watcher: Watcher;
  startOnce: StartOnce;
  submission: SubmissionMiddleware;
};
/** How a submission reached us, and how long its caller waits. */
type Accepting = Omit<Submission, keyof Caller> & { wait: number | undefined };

/** The tasks of the catalogue: submit, read, list, cancel, rerun. */
export function createTaskRoutes({
  client,
  config,
  admission,
  view,
  watcher,
  startOnce,
  submission,
}: TaskDependencies) {
  const app = new OpenAPIHono<ApiEnvironment>();
  const listTasks = createTaskList(client, config, view);
  const submit = createSubmit({ config, view, startOnce });

  const accept = async (c: Context<ApiEnvironment>, { wait, ...submission }: Accepting) => {
    const started = await submit({ ...readCaller(c), ...submission });
    return answerAccepted(c, watcher, started, wait);
  };

  for (const name of taskNames) {
    app.openAPIRegistry.registerPath(taskRoutes.submit(name));
    app.post(`/tasks/${name}`, ...submission(name), async (c) => {
      const { delay, wait } = toQuery(submitQuery, c.req.queries());
      const body = await readBody(c);
      return accept(c, { name, body, input: toInput(tasks[name].input, body), delaySeconds: delay, wait });
    });
    // A task's name is no id: what reads tasks does not answer here.
    app.all(`/tasks/${name}`, () => {
      throw toMethodProblem(['POST']);
    });
  }

  app.openapi(taskRoutes.list, async (c) => {
    const { owner } = c.var;
    const query = c.req.valid('query');
    return c.json(await admission.call(() => listTasks(owner, query)), 200);
  });

  app.openapi(taskRoutes.read, async (c) => {
    const { id } = c.req.valid('param');
    const name = requireTaskName(c.var.owner, id);
    return c.json(await admission.call(() => view.readTask(id, name)), 200);
  });

  app.openapi(taskRoutes.cancel, async (c) => {
    const { id } = c.req.valid('param');
    const name = requireTaskName(c.var.owner, id);
    toInput(noInput, await readBody(c));
    const task = await admission.call(() => view.cancelTask(id, name));
    if (task.status === 'completed' || task.status === 'failed') {
      throw new Problem('already-finished', `The task has ${task.status}`);
    }
    return c.json(task, 202);
  });

  app.openapi({ ...taskRoutes.rerun, middleware: submission() }, async (c) => {
    const { id } = c.req.valid('param');
    const { wait } = c.req.valid('query');
    const name = requireTaskName(c.var.owner, id);
    const body = toInput(noInput, await readBody(c));
    const { task, memo } = await admission.call(() => view.readWithMemo(id, name));
    if (!task.finishedAt) throw new Problem('still-open', `The task is ${task.status}: rerun it when it has ended`);
    return accept(c, { name, body, input: toInput(tasks[name].input, memo.input), rerunOf: id, wait });
  });

  // Behind the routes of the catalogue: a name nobody knows is a 404 that says which there are, not a 405.
  app.all('/tasks/:name', (c) => {
    if (c.req.method !== 'POST') return c.notFound();
    throw new Problem('not-found', `There is no such task; there are: ${taskNames.join(', ')}`);
  });
  return app;
}
