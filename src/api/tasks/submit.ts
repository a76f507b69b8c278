import { z } from '@hono/zod-openapi';
import { type TaskName, taskNames, tasks } from '../../tasks.ts';
import { readBody, toInput } from '../http/body.ts';
import { toQuery } from '../http/query.ts';
import { toResponses } from '../problems/openapi.ts';
import { readCaller } from '../submissions/caller.ts';
import { requirePost } from '../submissions/task-names.ts';
import { answerAccepted, waitQuery } from '../watch/wait.ts';
import type { TaskApp, TaskDependencies } from './dependencies.ts';
import { submissionHeaders, submissionProblems, toAcceptedResponses, toOperationId } from './task-operations.ts';

/** The maximum is thirty days. For a longer delay, use a scheduler. */
const maximumDelaySeconds = 2_592_000;
const delayFault = `must be a number of seconds from 0 to ${maximumDelaySeconds}`;

const submitQuery = z.strictObject({
  delay: z
    .string()
    .regex(/^\d{1,7}(\.\d{1,3})?$/, delayFault)
    .transform(Number)
    .refine((seconds) => seconds <= maximumDelaySeconds, delayFault)
    .optional()
    .openapi({ type: 'number', minimum: 0, maximum: maximumDelaySeconds, multipleOf: 0.001, default: 0 })
    .describe('Seconds until the first attempt, as a plain decimal. Until then, the task is `scheduled`'),
  wait: waitQuery,
});

const toRoute = (name: TaskName) => ({
  method: 'post' as const,
  path: `/tasks/${name}`,
  operationId: toOperationId(`submit-${name}`),
  tags: ['Tasks'],
  summary: tasks[name].summary,
  description:
    'Without a wait, the answer comes as soon as Temporal has stored the task. Read the task to follow its progress.',
  request: {
    query: submitQuery,
    headers: submissionHeaders,
    body: { required: false, content: { 'application/json': { schema: tasks[name].input } } },
  },
  responses: { ...toAcceptedResponses('The accepted task'), ...toResponses(...submissionProblems) },
});

/** Adds `POST /tasks/{name}` for each task of the catalogue. Other methods on these paths get 405. */
export function addSubmitRoutes(app: TaskApp, { watcher, startTask, submission }: TaskDependencies) {
  for (const name of taskNames) {
    app.openAPIRegistry.registerPath(toRoute(name));
    app.post(`/tasks/${name}`, ...submission(name), async (c) => {
      const { delay, wait } = toQuery(submitQuery, c.req.queries());
      const body = await readBody(c);
      const input = toInput(tasks[name].input, body);
      const started = await startTask({ ...readCaller(c), name, body, input, delaySeconds: delay });
      return answerAccepted(c, watcher, started, wait);
    });
    app.all(`/tasks/${name}`, requirePost);
  }
}
