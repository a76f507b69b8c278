import { rmSync, writeFileSync } from 'node:fs';
import { status } from '@grpc/grpc-js';
import type { Client } from '@temporalio/client';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApp } from '../../../../src/api/app.ts';
import { loadConfig } from '../../../../src/config/config.ts';
import { markDatabase, toDatabasePath } from '../../../../src/embedded/database.ts';
import { type DatabaseFault, toFaultDetail } from '../../../../src/embedded/faults.ts';
import { createApiMetrics } from '../../../../src/telemetry/metrics.ts';
import { TaskQueueType } from '../../../../src/temporal/payloads.ts';
import { eventually, type Holdfast, startHoldfast } from '../../../support/holdfast.ts';
import { expectProblem } from '../../../support/problem.ts';
import { createDirectory } from '../../../support/processes.ts';

let holdfast: Holdfast;

beforeAll(async () => {
  holdfast = await startHoldfast();
});
afterAll(() => holdfast.stop());

type PollerAges = { workflow?: number[]; activity?: number[] };
type Faults = { writeError?: string; reported?: DatabaseFault; dataDir?: string };

/**
 * Calls `/ready` of an API whose Temporal reports pollers of each type, last seen this many seconds ago. With a
 * `writeError`, Temporal fails every write.
 */
async function askReady(
  { workflow = [], activity = [] }: PollerAges,
  { writeError, reported, dataDir = '/nowhere' }: Faults = {},
) {
  const toPoller = (seconds: number) => ({ lastAccessTime: { seconds: Math.floor(Date.now() / 1_000) - seconds } });
  const client = {
    workflowService: {
      describeTaskQueue: async ({ taskQueueType }: { taskQueueType: number }) => ({
        pollers: (taskQueueType === TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW ? workflow : activity).map(toPoller),
      }),
      updateTaskQueueConfig: async () => {
        const grpc = { code: status.UNAVAILABLE, details: writeError, metadata: { get: () => [] } };
        throw writeError === undefined ? new Error() : Object.assign(new Error(writeError), grpc);
      },
    },
  } as unknown as Client;
  const app = createApp({
    client,
    config: loadConfig({ DATA_DIR: dataDir }),
    log: pino({ level: 'silent' }),
    metrics: createApiMetrics(),
    reported: { read: () => reported },
  });
  const response = await app.request('/ready', { headers: { host: 'localhost' } });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: JSON.parse(text) };
}

test('health answers 200 with no worker and without asking Temporal', async () => {
  expect(await holdfast.call('GET', '/health')).toMatchObject({ status: 200, body: { status: 'ok' } });
  const app = createApp({
    client: {} as Client,
    config: loadConfig({}),
    log: pino({ level: 'silent' }),
    metrics: createApiMetrics(),
  });
  expect((await app.request('/health', { headers: { host: 'localhost' } })).status).toBe(200);
});

// Seen to fail when `/ready` did not check for pollers.
test('with no worker the API is not ready and says that a worker is missing; with one it is ready', async () => {
  const before = await holdfast.call('GET', '/ready');
  const { retryable, detail } = expectProblem(before, 'not-ready');
  expect({ retryable, detail }).toEqual({ retryable: true, detail: expect.stringMatching(/no worker/) });
  expect(before.headers.get('retry-after')).toMatch(/^\d+$/);

  await holdfast.startWorker();
  const after = await eventually(
    () => holdfast.call('GET', '/ready'),
    ({ status }) => status === 200,
  );
  expect(after.body).toEqual({ status: 'ready' });
});

// Seen to fail when any listed poller counted: Temporal lists those of a dead worker for 5 minutes.
test('a poller last seen more than 75 s ago does not count, but a recent one beside it does', async () => {
  expectProblem(await askReady({ workflow: [76, 200, 299], activity: [76, 200, 299] }), 'not-ready');
  expect(await askReady({ workflow: [299, 70], activity: [299, 70] })).toMatchObject({ status: 200 });
});

// Seen to fail when one of the two types was enough.
test('a worker must poll for both workflow and activity tasks', async () => {
  expectProblem(await askReady({ workflow: [1] }), 'not-ready');
  expectProblem(await askReady({ activity: [1] }), 'not-ready');
  expectProblem(await askReady({ workflow: [1], activity: [100] }), 'not-ready');
  expectProblem(await askReady({}), 'not-ready');
});

const polled = { workflow: [1], activity: [1] };

// Seen to fail: with a full disk, every POST was a 503 and `/ready` a 200.
test.each<[string, Faults, string]>([
  ['nobody knows the cause', { writeError: 'shard status unknown' }, 'Temporal answers, but makes no writes'],
  ['the server reported a full disk', { writeError: 'shard status unknown', reported: 'full' }, toFaultDetail('full')],
  ['its answer names a full disk', { writeError: 'database or disk is full (13)' }, toFaultDetail('full')],
  ['its answer names a malformed file', { writeError: 'database disk image is malformed' }, toFaultDetail('malformed')],
])('while Temporal makes no writes, the API is not ready and says so: %s', async (_, faults, detail) => {
  const problem = expectProblem(await askReady(polled, faults), 'not-ready');
  expect(problem.detail).toContain(detail);
});

test('with a malformed database the API is not ready, although some writes succeed', async () => {
  const { detail } = expectProblem(await askReady(polled, { reported: 'malformed' }), 'not-ready');
  expect(detail).toBe(toFaultDetail('malformed'));
  expect(await askReady(polled, { reported: 'full' })).toMatchObject({ status: 200 });
});

test('when the database of the running embedded server was removed, the API is not ready and names no path', async () => {
  const dataDir = createDirectory();
  for (const suffix of ['', '-wal']) writeFileSync(`${toDatabasePath(dataDir)}${suffix}`, 'data');
  markDatabase(dataDir);
  expect(await askReady(polled, { dataDir })).toMatchObject({ status: 200 });
  rmSync(toDatabasePath(dataDir));
  const answer = await askReady(polled, { dataDir });
  expect(expectProblem(answer, 'not-ready').detail).toContain('removed or replaced');
  expect(answer.text).not.toContain(dataDir);
});

// Before, 200 strangers that asked for /ready without a pause made a submission last 4 s.
test('requests for /ready at the same time share one check of Temporal', async () => {
  let calls = 0;
  const describeTaskQueue = async () => {
    calls += 1;
    return { pollers: [{ lastAccessTime: { seconds: Math.floor(Date.now() / 1_000) } }] };
  };
  const client = { workflowService: { describeTaskQueue, updateTaskQueueConfig: () => Promise.reject(new Error()) } };
  const app = createApp({
    client: client as unknown as Client,
    config: loadConfig({ DATA_DIR: '/nowhere' }),
    log: pino({ level: 'silent' }),
    metrics: createApiMetrics(),
  });
  const ask = async () => (await app.request('/ready', { headers: { host: 'localhost' } })).status;
  expect(new Set(await Promise.all(Array.from({ length: 100 }, ask)))).toEqual(new Set([200]));
  expect(calls).toBe(2);
  expect(await ask()).toBe(200);
  expect(calls).toBe(4);
});
