import { z } from '@hono/zod-openapi';
import { type TaskName, taskNames, tasks } from '../../tasks.ts';
import { anyOutput, failureSchema, finalFailureSchema, time } from '../views/schemas.ts';

/** Items in a batch at most. */
export const mostItems = 10_000;

const batchStatuses = ['running', 'completed', 'cancelled', 'failed'] as const;
export const itemStatuses = [
  'queued',
  'running',
  'retrying',
  'cancelling',
  'completed',
  'failed',
  'cancelled',
] as const;

export const batchItemSchema = z
  .object({
    index: z.int().min(0).describe('Its place in the submitted `items`, from 0'),
    status: z.enum(itemStatuses),
    attempts: z
      .int()
      .min(0)
      .describe(
        'Attempts that were begun; an item that has just come back to a chunk whose worker died shows `running` and 1 until another has taken over, 5 s at most',
      ),
    nextAttemptAt: time.optional().describe('While retrying'),
    lastFailure: failureSchema.optional().describe('Of the latest failed attempt'),
    output: anyOutput.optional().describe('Of a completed item'),
    failure: finalFailureSchema.optional().describe('Of a failed item'),
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
    running: count.describe('The items that have not ended, the waiting ones included'),
    status: z
      .enum(batchStatuses)
      .describe('`completed`: every item has ended, each in its own way; `failed`: an operator ended the batch'),
    submittedAt: time,
    finishedAt: time.optional(),
    items: z.array(batchItemSchema).optional().describe('A page of the items, in order'),
    nextCursor: z.string().optional().describe('Leads to the next page; missing on the last'),
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

/** What `POST /batches/{name}` takes: an input for each item, or one for so many. */
export const toBatchBodies = (name: TaskName) => ({
  list: z.strictObject({ items: z.array(tasks[name].input).min(1).max(mostItems) }),
  repeat: z.strictObject({ count: z.int().min(1).max(mostItems), input: tasks[name].input.optional() }),
});
