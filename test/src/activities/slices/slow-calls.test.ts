import { randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type JokeApi, startJokeApi } from '../../../../local/joke-api/create-joke-api.ts';
import { type SliceSignalArguments, slicedChunkType } from '../../../../src/contract.ts';
import type { TaskActivities, TaskInput } from '../../../../src/tasks.ts';
import { startSlice } from '../../../support/slice.ts';

let api: JokeApi;
let connection: NativeConnection;
let client: Client;
beforeAll(async () => {
  api = await startJokeApi();
  // A worker's client has such a connection.
  connection = await NativeConnection.connect({ address: inject('devServer') });
  client = new Client({ connection });
});
afterAll(async () => {
  await connection?.close();
  await api?.close();
});

/** Starts a workflow that no worker runs, under the id of a chunk. Its history keeps the signals. */
async function startChunk() {
  const batchId = `owner_fetch-joke_batch_${randomUUID()}`;
  const handle = await client.workflow.start(slicedChunkType, { workflowId: `${batchId}~0`, taskQueue: batchId });
  return { batchId, handle, runId: handle.firstExecutionRunId };
}

/** Returns the arguments of the signals that the chunk has received. */
async function readSignals({ handle }: Awaited<ReturnType<typeof startChunk>>): Promise<unknown[]> {
  const { events } = await handle.fetchHistory();
  return (events ?? [])
    .flatMap(({ workflowExecutionSignaledEventAttributes: signal }) => signal ?? [])
    .map(({ signalName, input }) => [
      signalName,
      ...(input?.payloads ?? []).map(({ data }) => JSON.parse(Buffer.from(data ?? []).toString())),
    ]);
}

/** The upstream answers item 101 after 1.4 s, and all other items at once. */
function slowDown({ batchId }: { batchId: string }, ms = 1_400): void {
  api.rules.add({ when: { taskKey: `${batchId}/101` }, then: [{ delayMs: ms }] });
}

const toIndexes = ({ outcomes }: { outcomes: { index: number }[] }) => outcomes.map(({ index }) => index).sort();

test('after a second, a slice reports its outcomes and slow calls, and then returns the outcomes of the slow calls only', async () => {
  const chunk = await startChunk();
  const slice = startSlice(api, { size: 4, client, ...chunk });
  slowDown(slice);
  const result = await slice.result;
  const [[signalName, sliceName, report], ...others] = (await readSignals(chunk)) as [
    [string, ...SliceSignalArguments],
  ];
  expect(others).toEqual([]);
  expect([signalName, sliceName]).toEqual(['slice', 'slice-1']);
  expect(report.running).toContain(101);
  // On a busy machine, another call may take a second as well.
  expect([...toIndexes(report), ...report.running].sort()).toEqual([100, 101, 102, 103]);
  expect(toIndexes(result)).toEqual(report.running.sort());
  expect(slice.requests()).toHaveLength(4);
});

test('a slice without slow calls sends no signal', async () => {
  const chunk = await startChunk();
  expect(toIndexes(await startSlice(api, { size: 4, client, ...chunk }).result)).toEqual([100, 101, 102, 103]);
  expect(await readSignals(chunk)).toEqual([]);
});

test('a slice whose chunk is gone aborts its calls', async () => {
  const chunk = await startChunk();
  await chunk.handle.terminate();
  const slice = startSlice(api, { size: 2, client, ...chunk });
  slowDown(slice, 60_000);
  await slice.result;
  await expect.poll(() => slice.requests().map(({ outcome }) => outcome)).toEqual(['answered', 'client-gone']);
});

test('a slice whose signal fails keeps all outcomes for its result', async () => {
  const signal = () => Promise.reject(new Error('Temporal is away'));
  const away = {
    workflow: { getHandle: () => ({ signal }) },
    withAbortSignal: (_: AbortSignal, work: () => unknown) => work(),
  } as unknown as Client;
  const slice = startSlice(api, { size: 3, client: away });
  slowDown(slice);
  expect(toIndexes(await slice.result)).toEqual([100, 101, 102]);
  expect(slice.lines.at(-1)).toBe('Slice <batch>~0 slice-1: the report of slow calls failed: Temporal is away');
});

test('results have at most 512 KiB and signals at most 256 KiB, and no outcome is in both', async () => {
  const chunk = await startChunk();
  const joke = 'x'.repeat(16_000);
  const activities = {
    async 'fetch-joke'(_: TaskInput) {
      called += 1;
      if (called === 5) await new Promise((resolve) => setTimeout(resolve, 1_400));
      return { id: '', joke, url: '' };
    },
  } as TaskActivities;
  let called = 0;
  const result = await startSlice(api, { size: 100, activities, client, ...chunk }).result;
  const [[, , report]] = (await readSignals(chunk)) as [[string, ...SliceSignalArguments]];
  const [reported, returned] = [toIndexes(report), toIndexes(result)];
  expect(called).toBeGreaterThan(20);
  expect(JSON.stringify(report).length).toBeLessThanOrEqual(256 * 1024);
  expect(JSON.stringify(result).length + JSON.stringify(report).length).toBeLessThanOrEqual(512 * 1024);
  expect(returned).toEqual(report.running.sort());
  expect(new Set([...reported, ...returned]).size).toBe(called);
});
