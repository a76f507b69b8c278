import { status } from '@grpc/grpc-js';
import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/config.ts';
import { TemporalUnavailable } from '../../../src/temporal/errors.ts';
import { createWriteCheck } from '../../../src/temporal/write-check.ts';
import { eventually, type Holdfast, isFinished, startHoldfast } from '../../support/holdfast.ts';

const toGrpcError = (code: number, details: string) =>
  Object.assign(new Error(details), { code, details, metadata: { get: () => [] } });
const noWrite = toGrpcError(status.UNAVAILABLE, 'shard status unknown');

/** Creates a check with its own clock. `answer` is how Temporal answers the check's own write. */
function createCheck() {
  const state = { ms: 0, probes: 0, answer: async (): Promise<unknown> => ({}) };
  const client = {
    workflowService: {
      updateTaskQueueConfig: () => {
        state.probes += 1;
        return state.answer();
      },
      describeWorkflowExecution: () => Promise.reject(toGrpcError(status.NOT_FOUND, 'workflow not found')),
    },
  } as unknown as Client;
  const { check, observe } = createWriteCheck(client, loadConfig({}), () => state.ms);
  const fail = (error: unknown) => expect(observe(() => Promise.reject(error))).rejects.toBe(error);
  return { state, check, observe, fail, succeed: () => observe(async () => 'started') };
}

test('without starts, the check makes writes itself: at most one every 5 s, and one at a time', async () => {
  const { state, check } = createCheck();
  let finish = (_: unknown) => {};
  state.answer = () => new Promise((resolve) => (finish = resolve));
  const checks = Promise.all(Array.from({ length: 100 }, check));
  finish({});
  await checks;
  state.ms = 4_999;
  await check();
  expect(state.probes).toBe(1);
  state.ms = 5_000;
  state.answer = () => Promise.reject(noWrite);
  for (const ms of [5_000, 6_000, 9_999]) {
    state.ms = ms;
    await expect(check()).rejects.toMatchObject({ cause: noWrite });
  }
  expect(state.probes).toBe(2);
  state.ms = 10_000;
  state.answer = async () => ({});
  await check();
  expect(state.probes).toBe(3);
});

test('if there was a start within 5 s, its outcome counts, and the check makes no write', async () => {
  const { state, check, fail, succeed } = createCheck();
  await succeed();
  await fail(noWrite);
  await check();
  state.ms = 5_001;
  await fail(noWrite);
  await expect(check()).rejects.toBe(noWrite);
  await succeed();
  await check();
  expect(state.probes).toBe(0);
});

test('a start without an answer in time counts as one that failed', async () => {
  const { check, fail } = createCheck();
  const error = new TemporalUnavailable('unknown');
  await fail(error);
  await expect(check()).rejects.toBe(error);
});

test('a replay and a refusal do not count as failed writes', async () => {
  const { state, check, fail } = createCheck();
  await fail(new WorkflowExecutionAlreadyStartedError('already started', 'id', 'type'));
  await fail(toGrpcError(status.INVALID_ARGUMENT, 'too long'));
  await check();
  expect(state.probes).toBe(1);
});

test.each([
  toGrpcError(status.UNIMPLEMENTED, 'unknown method UpdateTaskQueueConfig'),
  toGrpcError(status.PERMISSION_DENIED, 'Request unauthorized.'),
  new TypeError('not a function'),
])('if the server refuses the write of the check or does not know it, writes count as accepted: %s', async (error) => {
  const { state, check } = createCheck();
  state.answer = () => Promise.reject(error);
  await check();
  await check();
  expect(state.probes).toBe(1);
});

let holdfast: Holdfast;
beforeAll(async () => {
  holdfast = await startHoldfast();
});
afterAll(() => holdfast.stop());

test('the write of the check reaches Temporal, appears in no list and delays no task', async () => {
  const { client, config } = holdfast;
  const { namespace } = config.temporal;
  await createWriteCheck(client, config).check();
  await holdfast.startWorker();
  await eventually(
    () => holdfast.call('GET', '/ready'),
    ({ status }) => status === 200,
  );
  const { config: written } = await client.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: `${config.taskQueue}.ready` },
    taskQueueType: 2,
    reportConfig: true,
  });
  expect(written?.queueRateLimit?.rateLimit?.requestsPerSecond).toBe(1);
  const { id } = await holdfast.submit();
  await holdfast.until(id, isFinished);
  const listed = async () => {
    const query = `TaskQueue STARTS_WITH '${config.taskQueue}'`;
    const { executions } = await client.workflowService.listWorkflowExecutions({ namespace, query });
    return (executions ?? []).map(({ execution }) => execution?.workflowId);
  };
  expect(await eventually(listed, ({ length }) => length > 0)).toEqual([id]);
});
