import { createRoute, z } from '@hono/zod-openapi';
import { tasks } from '../../tasks.ts';
import { noInput, readBody, toInput } from '../http/body.ts';
import { toResponses } from '../problems/openapi.ts';
import { Problem } from '../problems/problem.ts';
import { readCaller } from '../submissions/caller.ts';
import { requireTaskName } from '../views/task-id.ts';
import { answerAccepted, waitQuery } from '../watch/wait.ts';
import type { TaskApp, TaskDependencies } from './dependencies.ts';
import { submissionHeaders, submissionProblems, taskIdParameter, toAcceptedResponses } from './task-operations.ts';

const route = createRoute({
  method: 'post',
  path: '/tasks/{id}/rerun',
  operationId: 'rerunTask',
  tags: ['Tasks'],
  summary: 'Submit the input of a finished task again, under the current policy',
  description: 'Starts a new task, whose `rerunOf` is the id of the finished task. The finished task stays as it is.',
  request: { params: taskIdParameter, query: z.strictObject({ wait: waitQuery }), headers: submissionHeaders },
  responses: {
    ...toAcceptedResponses('The new task'),
    ...toResponses(...submissionProblems, 'not-found', 'still-open'),
  },
});

/** Adds `POST /tasks/{id}/rerun`, which answers 409 if the task has not ended. */
export function addRerunRoute(app: TaskApp, { admission, view, watcher, startTask, submission }: TaskDependencies) {
  app.openapi({ ...route, middleware: submission() }, async (c) => {
    const { id } = c.req.valid('param');
    const { wait } = c.req.valid('query');
    const name = requireTaskName(c.var.owner, id);
    const body = toInput(noInput, await readBody(c));
    const { task, record } = await admission.call(c.var.owner, () => view.readWithRecord(id, name));
    if (!task.finishedAt) throw new Problem('still-open', `The task is ${task.status}: rerun it when it has ended`);
    const input = toInput(tasks[name].input, record.input);
    const started = await startTask({ ...readCaller(c), name, body, input, rerunOf: id });
    return answerAccepted(c, watcher, started, wait);
  });
}
