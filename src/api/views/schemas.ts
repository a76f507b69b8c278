import { z } from '@hono/zod-openapi';
import { taskNames, tasks } from '../../tasks.ts';
import { activityStatuses } from '../../temporal/engines/task-state.ts';
import { toUnion } from '../problems/openapi.ts';

export const failureSchema = z
  .object({
    type: z.string().openapi({ example: 'UpstreamUnavailable' }),
    message: z.string().openapi({ example: 'HTTP 503' }),
    upstreamStatus: z.int().optional(),
  })
  .openapi('Failure');

export const finalFailureSchema = z.object({
  ...failureSchema.shape,
  reason: z.enum(['attempts-exhausted', 'non-retryable', 'timed-out', 'terminated']),
});

export const pausedSchema = z
  .object({
    reason: z.string().optional(),
    by: z.string().optional().describe('The identity of the operator in Temporal'),
    since: z.iso.datetime().optional(),
  })
  .describe('Set while an operator has paused the activity in Temporal. No attempt begins until it is resumed there');

export const stuckSchema = z
  .object({ reason: z.string(), since: z.iso.datetime() })
  .describe('Set while the workflow cannot go on, for example after a deploy of code that does not fit its history');

const anyInput = toUnion(taskNames.map((name) => tasks[name].input));
export const anyOutput = toUnion(taskNames.map((name) => tasks[name].output));
export const time = z.iso.datetime();

export const taskStatuses = ['scheduled', ...activityStatuses] as const;

export const exampleId = '25bf8e1a2393f110_fetch-joke_0b5c9e3e-6f0a-4a54-9d2b-6a4a7e1f2c3d';
const example = {
  id: exampleId,
  name: 'fetch-joke',
  input: { category: 'dev' },
  status: 'retrying',
  attempt: 2,
  maxAttempts: 5,
  nextAttemptAt: '2026-11-23T12:00:02.000Z',
  lastFailure: { type: 'UpstreamUnavailable', message: 'HTTP 503', upstreamStatus: 503 },
  submittedAt: '2026-11-23T12:00:00.000Z',
  links: { self: `/tasks/${exampleId}`, cancel: `/tasks/${exampleId}/cancel`, events: `/tasks/${exampleId}/events` },
};

export const taskSchema = z
  .object({
    id: z.string(),
    name: z.enum(taskNames),
    input: anyInput,
    status: z.enum(taskStatuses),
    attempt: z
      .int()
      .min(1)
      .describe('The number of the current or latest attempt, or of the next one while the task waits for it'),
    maxAttempts: z
      .int()
      .min(1)
      .describe('The current maximum. An operator can change it in Temporal. 2147483647: there is no maximum'),
    nextAttemptAt: time.optional().describe('The time of the next attempt, set only while the task is `retrying`'),
    paused: pausedSchema.optional(),
    stuck: stuckSchema.optional(),
    lastFailure: failureSchema.optional().describe('The failure of the latest failed attempt'),
    output: anyOutput.optional().describe('The output of a completed task'),
    failure: finalFailureSchema.optional().describe('The failure of a failed task'),
    submittedAt: time,
    finishedAt: time.optional(),
    rerunOf: z.string().optional(),
    links: z.object({
      self: z.string(),
      cancel: z.string().optional(),
      events: z.string().optional(),
      temporal: z.string().optional(),
    }),
  })
  .openapi('Task', { example });

export type Task = z.infer<typeof taskSchema>;

export const taskListSchema = z
  .object({
    items: z.array(
      z
        .object({
          id: z.string(),
          name: z.enum(taskNames),
          status: z.enum([...taskStatuses, 'open']),
          input: anyInput,
          submittedAt: time,
          finishedAt: time.optional(),
        })
        .openapi('TaskSummary'),
    ),
    nextCursor: z.string().nullable(),
  })
  .openapi('TaskList');

export type TaskList = z.infer<typeof taskListSchema>;
export type TaskSummary = TaskList['items'][number];
