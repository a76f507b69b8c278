import { z } from '@hono/zod-openapi';
import { type TaskName, taskNames, tasks } from '../../tasks.ts';
import { activityStatuses } from '../../temporal/engines/task-state.ts';
import { anyOutput, failureSchema, finalFailureSchema, pausedSchema, stuckSchema, time } from '../views/schemas.ts';

export const maximumBatchItems = 10_000;

const batchStatuses = ['running', 'completed', 'cancelled', 'failed'] as const;

export const batchItemSchema = z
  .object({
    index: z.int().min(0).describe('The position of the item in the batch, from 0'),
    status: z.enum(activityStatuses),
    attempts: z
      .int()
      .min(0)
      .describe(
        'The number of attempts that are known to have begun. A worker reports first attempts together, about once a ' +
          'second. Until then, the item is `queued` and has 0 attempts',
      ),
    nextAttemptAt: time.optional().describe('The time of the next attempt, set only while the item is `retrying`'),
    paused: pausedSchema.optional(),
    stuck: stuckSchema.optional(),
    lastFailure: failureSchema.optional().describe('The failure of the latest failed attempt'),
    output: anyOutput.optional().describe('The output of a completed item'),
    failure: finalFailureSchema.optional().describe('The failure of a failed item'),
  })
  .openapi('BatchItem');

export type BatchItem = z.infer<typeof batchItemSchema>;

const exampleBatchId = '25bf8e1a2393f110_fetch-joke_batch_7d1f0c52-3c1b-4e0e-8a66-0d8a4b0f6e11';

export const batchIdParameter = z.object({
  id: z.string().describe('The id of a batch').openapi({ example: exampleBatchId }),
});

const count = z.int().min(0);
export const batchSchema = z
  .object({
    id: z.string(),
    name: z.enum(taskNames),
    total: z.int().min(1),
    completed: count,
    failed: count,
    cancelled: count,
    running: count.describe('The number of items that have not ended, including those that wait for an attempt'),
    status: z
      .enum(batchStatuses)
      .describe('`completed`: every item has ended, in any status. `failed`: an operator terminated the batch'),
    stuck: stuckSchema.optional(),
    submittedAt: time,
    finishedAt: time.optional(),
    items: z.array(batchItemSchema).optional().describe('A page of the items, in the order of `index`'),
    nextCursor: z.string().optional().describe('The `cursor` of the next page. It is missing on the last page'),
  })
  .openapi('Batch', {
    example: {
      id: exampleBatchId,
      name: 'fetch-joke',
      total: 2_000,
      completed: 1_398,
      failed: 2,
      cancelled: 0,
      running: 600,
      status: 'running',
      submittedAt: '2026-11-23T12:00:00.000Z',
    },
  });

export type Batch = z.infer<typeof batchSchema>;

/** The two bodies of `POST /batches/{name}`: an input for each item, or a count of items that share one input. */
export const toBatchBodies = (name: TaskName) => ({
  list: z.strictObject({ items: z.array(tasks[name].input).min(1).max(maximumBatchItems) }),
  repeat: z.strictObject({ count: z.int().min(1).max(maximumBatchItems), input: tasks[name].input.optional() }),
});
