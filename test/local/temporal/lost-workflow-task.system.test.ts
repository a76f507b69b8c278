import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { expect, inject, test } from 'vitest';
import { workflowTaskTimeoutMs } from '../../../src/contract.ts';

const lossCount = 6;

// Seen to fail with Temporal's default of 10 min: the task came 18 s after the sixth loss.
test('a workflow task that was lost six times in a row comes to another worker within 15 s', async () => {
  const taskQueue = `test-${randomUUID()}`;
  const connection = await Connection.connect({ address: inject('devServer') });
  const client = new Client({ connection });
  await client.workflow.start('fetch-joke', { taskQueue, workflowId: taskQueue, workflowTaskTimeout: 1_000 });
  const startedAt: number[] = [];
  while (startedAt.length <= lossCount) {
    // A worker that takes the task and is killed before it answers.
    const { attempt, taskToken } = await connection.withDeadline(Date.now() + 60_000, () =>
      client.workflowService.pollWorkflowTaskQueue({
        namespace: 'default',
        taskQueue: { name: taskQueue },
        identity: 'killed',
      }),
    );
    if (taskToken.length === 0) continue;
    startedAt.push(Date.now());
    expect(attempt).toBe(startedAt.length);
  }
  const [sixth = 0, seventh = 0] = startedAt.slice(-2);
  expect(seventh - sixth + workflowTaskTimeoutMs - 1_000).toBeLessThan(17_000);
  await client.workflow.getHandle(taskQueue).terminate();
  await connection.close();
}, 120_000);
