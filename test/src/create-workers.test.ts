import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { type ChunkArguments, slicedChunkType, toChunkId, toId } from '../../src/contract.ts';
import { createWorkers } from '../../src/create-workers.ts';
import { toActivityOptions } from '../../src/policy.ts';
import { eventually, type Holdfast, isFinished, startHoldfast } from '../support/holdfast.ts';

let holdfast: Holdfast;
beforeAll(async () => {
  holdfast = await startHoldfast({ WORKER_CONCURRENCY: '3', BASE_DELAY: '0.1', JOB_TIMEOUT: '20' });
  await holdfast.startWorker();
});
afterAll(() => holdfast?.stop());

/** Starts a chunk whose items have this category. */
async function startChunk(category: string, count: number) {
  const { policy, taskQueue } = holdfast.config;
  const workflowId = toChunkId(toId('owner', 'fetch-joke', category, 'batch'), 0);
  const chunk: ChunkArguments = {
    ...{ name: 'fetch-joke', options: toActivityOptions(policy), jitter: 0, first: 0 },
    inputs: { count, input: { category } },
  };
  return await holdfast.client.workflow.start(slicedChunkType, { workflowId, taskQueue, args: [chunk] });
}

// Seen to fail when slices could take all places.
test('beside a batch whose calls are slow, a task is called at once, because slices leave a place free', async () => {
  const category = 'slow-items';
  holdfast.jokes.rules.add({ when: { category }, then: [{ delayMs: 4_000 }], repeat: true });
  const batchId = toId('owner', 'fetch-joke', category, 'batch');
  holdfast.jokes.rules.add({ when: { taskKey: `${batchId}/2` }, then: [{}] });
  const chunk = await startChunk(category, 3);
  await eventually(
    () => holdfast.jokes.ledger({ category }),
    ({ length }) => length === 2,
  );
  const { id } = await holdfast.submit();
  const task = await holdfast.until(id, isFinished);
  expect(task).toMatchObject({ status: 'completed', attempt: 1 });
  expect(holdfast.jokes.ledger({ category }).map(({ outcome }) => outcome)).toEqual(['open', 'open']);
  expect(await chunk.result()).toEqual({ completed: 3, failed: 0, cancelled: 0 });
  // No call was cut off and repeated.
  expect(holdfast.jokes.ledger({ category })).toHaveLength(3);
});

test('an item that fails in its slice goes on as attempt 2, with the same key', async () => {
  const category = 'failing-items';
  holdfast.jokes.rules.add({ when: { category, attempt: 1 }, then: [{ status: 503 }], repeat: true });
  holdfast.jokes.rules.add({ when: { category, attempt: 2 }, then: [{}], repeat: true });
  const chunk = await startChunk(category, 2);
  expect(await chunk.result()).toEqual({ completed: 2, failed: 0, cancelled: 0 });
  const calls = holdfast.jokes.ledger({ category });
  const batchId = toId('owner', 'fetch-joke', category, 'batch');
  expect(calls.map(({ taskKey, attempt }) => `${taskKey} ${attempt}`).sort()).toEqual(
    [0, 1].flatMap((index) => [1, 2].map((attempt) => `${batchId}/${index} ${attempt}`)),
  );
});

// Seen to fail when the first worker stayed: the SDK does not close a connection that a worker uses.
test('if the second worker of a process cannot be created, the first one stops and frees the connection', async () => {
  const connection = await NativeConnection.connect({ address: holdfast.config.temporal.address });
  const create = Worker.create.bind(Worker);
  const fails = new Error('no second worker');
  const spy = vi.spyOn(Worker, 'create').mockImplementationOnce(create).mockRejectedValueOnce(fails);
  const options = { connection, workflowBundle: { codePath: inject('workflowBundle') }, record: () => {} };
  await expect(createWorkers(holdfast.config, options)).rejects.toBe(fails);
  spy.mockRestore();
  await expect(connection.close()).resolves.toBeUndefined();
});
