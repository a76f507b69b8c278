import { randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { BatchItem } from '../../../../src/api/batches/batch-schemas.ts';
import type { Task } from '../../../../src/api/views/schemas.ts';
import { slicedChunkType, toChunkId } from '../../../../src/contract.ts';
import { toFailure } from '../../../../src/temporal/payloads.ts';
import { withBatches } from '../../../support/batches.ts';
import { eventually, type Holdfast, isFinished, type RunningWorker, startHoldfast } from '../../../support/holdfast.ts';
import { createActivityCommands } from '../../../support/operator.ts';

let holdfast: Holdfast;
let worker: RunningWorker;
const variables = { HEARTBEAT_TIMEOUT: '1', BASE_DELAY: '0.5', MAX_DELAY: '0.5' };

beforeAll(async () => {
  holdfast = await startHoldfast({ ...variables, MAX_ATTEMPTS: '2' });
  worker = await holdfast.startWorker();
});
afterAll(() => holdfast?.stop());

/** Returns the commands `temporal activity …` for a task, or for an item of a batch. */
const activity = (workflowId: string, id = '1') => createActivityCommands(holdfast, workflowId, id);

const toReference = (workflowId: string, id = '1') => ({
  namespace: holdfast.config.temporal.namespace,
  execution: { workflowId },
  id,
});

/** Pauses with a reason. */
const pause = (workflowId: string, id?: string) =>
  holdfast.client.workflowService.pauseActivity({
    ...toReference(workflowId, id),
    identity: 'ops@example.com',
    reason: 'the upstream is being moved',
  });
const paused = { by: 'ops@example.com', reason: 'the upstream is being moved', since: expect.any(String) };
const pauseFailure = {
  type: 'ActivityPause',
  message: 'The attempt was ended because the task was paused by an operator',
};

/** Returns a category for one test. The upstream answers its tasks with `then`, one answer per attempt. */
function addCategory(then: object[], repeat = true): string {
  const category = randomUUID();
  holdfast.jokes.rules.add({ when: { category }, then, repeat });
  return category;
}
/** The upstream answers 503 `times` times, then with a joke. */
const failsFirst = (times: number) => addCategory([...Array(times).fill({ status: 503 }), {}], false);

/** Submits a task that the upstream keeps waiting, and returns it while it runs. */
async function submitHanging(): Promise<Task> {
  const { id } = await holdfast.submit({ category: addCategory([{ hang: 'headers' }]) });
  return await holdfast.until(id, ({ status }) => status === 'running');
}
/** Submits a task and returns it while it waits for its next attempt. */
async function submitWaiting(category: string): Promise<Task> {
  const { id } = await holdfast.submit({ category });
  return await holdfast.until(id, ({ status }) => status === 'retrying');
}
describe('a task that an operator pauses', () => {
  // Seen to fail when the task read `queued`, and its failure was in the worker's log.
  test('is running and paused until its attempt ends, then queued and paused until it is resumed', async () => {
    const { id } = await holdfast.submit({ category: addCategory([{ hang: 'headers' }, {}], false) });
    await holdfast.until(id, ({ status }) => status === 'running');
    await pause(id);
    expect(await holdfast.read(id)).toMatchObject({ status: 'running', attempt: 1, paused });

    const waiting = await holdfast.until(id, ({ status }) => status !== 'running');
    expect(waiting).toMatchObject({ status: 'queued', attempt: 2, paused, lastFailure: pauseFailure });
    expect(worker.attempts.at(-1)).toMatchObject({ outcome: 'cancelled', failureType: 'ActivityPause' });
    const { body } = await holdfast.call('GET', '/tasks?status=queued&limit=1000');
    expect(body.items).toContainEqual(expect.objectContaining({ id, status: 'queued' }));

    await activity(id).unpause();
    const ended = await holdfast.until(id, isFinished);
    expect(ended).toMatchObject({ status: 'completed', attempt: 2, maxAttempts: 2 });
    expect(ended).not.toHaveProperty('paused');
  });

  // Seen to fail when such a task was `retrying` at a time that passed, and then `queued`.
  test('has no time of a next attempt until it is resumed', async () => {
    const { id, nextAttemptAt } = await submitWaiting(failsFirst(1));
    await pause(id);
    const waiting = await holdfast.read(id);
    expect(waiting).toMatchObject({ status: 'queued', attempt: 2, paused, lastFailure: { upstreamStatus: 503 } });
    expect(waiting).not.toHaveProperty('nextAttemptAt');
    await expect.poll(() => Date.now()).toBeGreaterThan(Date.parse(nextAttemptAt ?? '') + 300);
    expect(await holdfast.read(id)).toEqual(waiting);

    await activity(id).unpause();
    expect(await holdfast.until(id, isFinished)).toMatchObject({ status: 'completed', attempt: 2 });
  });

  test('shows who paused it with the command line, and since when', async () => {
    const { id } = await submitWaiting(failsFirst(1));
    const before = Date.now();
    await activity(id).pause();
    const { paused: shown } = await holdfast.read(id);
    expect(shown).toEqual({ by: expect.stringContaining('temporal-cli'), since: expect.any(String) });
    expect(Math.abs(Date.parse(shown?.since ?? '') - before)).toBeLessThan(10_000);
  });

  // Seen to fail with one attempt for the item of the terminated batch that had not begun.
  test('before its first attempt has made no attempt, like the item of a batch', async () => {
    const busy = await startHoldfast({ API_BASE_URL: holdfast.jokes.url, WORKER_CONCURRENCY: '1' });
    try {
      await busy.startWorker();
      const first = await busy.submit({ category: addCategory([{ hang: 'headers' }]) });
      await busy.until(first.id, ({ status }) => status === 'running');
      const { id } = await busy.submit();
      const batch = await withBatches(busy).submit({ count: 1 });
      const { client } = busy;
      // The item has no activity of its own yet. An operator can pause its slice.
      for (const [workflowId, activityId] of [
        [id, '1'],
        [`${batch.id}~0`, 'slice-0'],
      ] as const)
        await eventually(
          () => pause(workflowId, activityId).then(Boolean, () => false),
          (isPaused) => isPaused,
        );
      expect(await busy.read(id)).toMatchObject({ status: 'queued', attempt: 1, paused });
      const [item] = (await withBatches(busy).read(batch.id, '?limit=1')).items ?? [];
      expect(item).toEqual({ index: 0, status: 'queued', attempts: 0 });

      await Promise.all([id, batch.id].map((each) => client.workflow.getHandle(each).terminate()));
      expect(await busy.read(id)).toMatchObject({ status: 'failed', attempt: 1 });
      const { items } = await withBatches(busy).until(batch.id, (read) => read.items?.[0]?.status === 'failed');
      expect(items).toEqual([{ index: 0, status: 'failed', attempts: 0, failure: expect.any(Object) }]);
      await client.workflow.getHandle(first.id).terminate();
    } finally {
      await busy.stop();
    }
  });

  test('shows the attempts that began after it was terminated, and is no longer paused', async () => {
    const { id } = await submitHanging();
    await pause(id);
    await holdfast.until(id, ({ status }) => status === 'queued');
    await holdfast.client.workflow.getHandle(id).terminate();
    const task = await holdfast.read(id);
    expect(task).toMatchObject({ status: 'failed', attempt: 1, failure: { reason: 'terminated' } });
    expect(task).not.toHaveProperty('paused');
  });

  test('ends at once when it is cancelled, shows the attempts that began, and is no longer paused', async () => {
    const { id } = await submitHanging();
    await pause(id);
    await holdfast.until(id, ({ status }) => status === 'queued');
    const { body } = await holdfast.call('POST', `/tasks/${id}/cancel`);
    expect(body).not.toHaveProperty('paused');
    const task = await holdfast.until(id, isFinished);
    expect(task).toMatchObject({ status: 'cancelled', attempt: 1, lastFailure: pauseFailure });
  });

  // Temporal makes one more attempt after a pause, even if the paused attempt was the last one.
  test('never shows more attempts than the maximum, even if it is paused during its last attempt', async () => {
    const { id } = await holdfast.submit({
      category: addCategory([{ status: 503 }, { hang: 'headers' }, { status: 503 }], false),
    });
    await holdfast.until(id, ({ status, attempt }) => status === 'running' && attempt === 2);
    await pause(id);
    const waiting = await holdfast.until(id, ({ status }) => status === 'queued');
    expect(waiting).toMatchObject({ attempt: 3, maxAttempts: 3 });
    await activity(id).unpause();
    const ended = await holdfast.until(id, isFinished);
    expect(ended).toMatchObject({ attempt: 3, maxAttempts: 3, failure: { reason: 'attempts-exhausted' } });
  });
});

describe('a task whose options an operator updates', () => {
  // Seen to fail with `attempt 6, maxAttempts 5`.
  test('shows the new maximum while it is open, and never fewer than its attempts when it has ended', async () => {
    const { id } = await submitWaiting(addCategory([{ status: 503 }]));
    await activity(id).setMaximumAttempts(4);
    expect(await holdfast.read(id)).toMatchObject({ maxAttempts: 4 });
    const last = await holdfast.until(id, ({ attempt }) => attempt === 4);
    expect(last).toMatchObject({ maxAttempts: 4 });
    const failed = await holdfast.until(id, isFinished);
    expect(failed).toMatchObject({ attempt: 4, maxAttempts: 4, failure: { reason: 'attempts-exhausted' } });

    const { id: second } = await submitWaiting(failsFirst(2));
    await activity(second).setMaximumAttempts(4);
    expect(await holdfast.until(second, isFinished)).toMatchObject({ status: 'completed', attempt: 3, maxAttempts: 3 });
  });

  test('shows the new maximum after it was terminated', async () => {
    const { id } = await submitWaiting(addCategory([{ status: 503 }]));
    await activity(id).stretchWait();
    await activity(id).setMaximumAttempts(7);
    await holdfast.client.workflow.getHandle(id).terminate();
    expect(await holdfast.read(id)).toMatchObject({ status: 'failed', attempt: 1, maxAttempts: 7 });
  });

  test('shows 2147483647 if the operator removes the maximum', async () => {
    const { id } = await submitWaiting(addCategory([{ status: 503 }]));
    await activity(id).setMaximumAttempts(0);
    expect(await holdfast.read(id)).toMatchObject({ maxAttempts: 2_147_483_647 });
    await holdfast.client.workflow.getHandle(id).terminate();
  });
});

describe('a task that an operator resets', () => {
  test('says so if an attempt was running, and counts its attempts from 1 again', async () => {
    const { id } = await submitHanging();
    await activity(id).reset();
    const waiting = await holdfast.until(id, ({ status }) => status === 'retrying');
    expect(waiting).toMatchObject({
      attempt: 2,
      lastFailure: {
        type: 'ActivityReset',
        message: 'The attempt was ended because the task was reset by an operator',
      },
    });
    expect(worker.attempts.at(-1)).toMatchObject({ outcome: 'cancelled', failureType: 'ActivityReset' });
    await holdfast.client.workflow.getHandle(id).terminate();
  });

  test('begins again with attempt 1 if it was waiting', async () => {
    const { id } = await submitWaiting(failsFirst(1));
    await activity(id).stretchWait();
    await activity(id).reset();
    expect(await holdfast.until(id, isFinished)).toMatchObject({ status: 'completed', attempt: 1 });
  });

  // Temporal writes this failure if a workflow is reset while an activity without a retry policy runs.
  test('together with its workflow says so', async () => {
    const failure = { message: 'see /srv/notes', source: 'Server', resetWorkflowFailureInfo: {} };
    expect(await toFailure(holdfast.client, failure)).toEqual({
      type: 'ResetWorkflow',
      message: 'The attempt was ended because the task was reset by an operator',
    });
  });
});

describe('a task that an operator ends', () => {
  const failed = { type: 'FailedByOperator', message: 'The task was failed by an operator' };

  // Seen to fail with "An unexpected error. The worker's log has the details", though no log had them.
  test('as failed says that an operator failed it, and does not show the reason', async () => {
    const { id } = await submitHanging();
    await activity(id).fail('see /srv/notes at 10.0.0.1');
    const task = await holdfast.until(id, isFinished);
    expect(task).toMatchObject({ status: 'failed', attempt: 1, lastFailure: failed });
    expect(task.failure).toEqual({ ...failed, reason: 'non-retryable' });
  });

  test('as failed with an SDK says so too, and keeps the failure type', async () => {
    const { id } = await submitHanging();
    const { runId } = await holdfast.client.workflow.getHandle(id).describe();
    // Without a maximum of one attempt, Temporal would retry this failure.
    await activity(id).setMaximumAttempts(1);
    const { connection } = holdfast.client;
    await new Client({ connection, identity: 'ops' }).activity.fail(
      { workflowId: id, runId, activityId: '1' },
      new RangeError('by hand'),
    );
    const task = await holdfast.until(id, isFinished);
    expect(task.failure).toMatchObject({ type: 'RangeError', message: failed.message });
  });

  test('as failed but retryable says so while it waits', async () => {
    const { id } = await submitHanging();
    await holdfast.client.workflowService.respondActivityTaskFailedById({
      namespace: holdfast.config.temporal.namespace,
      workflowId: id,
      activityId: '1',
      failure: { message: 'by hand', applicationFailureInfo: {} },
      identity: 'ops',
    });
    expect(await holdfast.until(id, ({ status }) => status === 'retrying')).toMatchObject({ lastFailure: failed });
    await holdfast.client.workflow.getHandle(id).terminate();
  });

  // Seen to fail with attempt 2: Temporal writes the start of an attempt that never began.
  test('as completed while it waits shows only the attempts that began', async () => {
    const { id } = await submitWaiting(addCategory([{ status: 503 }]));
    await activity(id).stretchWait();
    await activity(id).complete({ id: '1', joke: 'by hand', url: 'http://localhost' });
    const task = await holdfast.until(id, isFinished);
    expect(task).toMatchObject({ status: 'completed', attempt: 1, output: { joke: 'by hand' } });
  });
});

/** An item has an activity of its own from its second attempt on. Before, an operator can only act on its slice. */
describe('an item of a batch', () => {
  let patient: Holdfast;
  let batches: ReturnType<typeof withBatches>;
  beforeAll(async () => {
    patient = await startHoldfast({ ...variables, MAX_ATTEMPTS: '3', API_BASE_URL: holdfast.jokes.url });
    batches = withBatches(patient);
    await patient.startWorker();
  });
  afterAll(() => patient?.stop());
  const isSecond = (item: BatchItem | undefined, status: string) => item?.status === status && item.attempts === 2;

  /** Submits a batch of an item that runs and one that waits, both in their second attempt, and pauses both. */
  async function submitPaused() {
    const [hanging, broken] = [addCategory([{ status: 503 }, { hang: 'headers' }]), addCategory([{ status: 503 }])];
    const { id } = await batches.submit({ items: [{ category: hanging }, { category: broken }] });
    await batches.until(id, ({ items }) => isSecond(items?.[1], 'retrying'));
    await activity(`${id}~0`, '1').stretchWait();
    await batches.until(id, ({ items }) => isSecond(items?.[0], 'running'));
    await Promise.all([pause(`${id}~0`, '0'), pause(`${id}~0`, '1')]);
    return id;
  }
  const untilWaiting = (id: string) => batches.until(id, ({ items }) => items?.[0]?.status === 'queued');

  test('shows that an operator paused it, and the attempts that began', async () => {
    const id = await submitPaused();
    const { items } = await untilWaiting(id);
    expect(items).toEqual([
      { index: 0, status: 'queued', attempts: 2, paused, lastFailure: pauseFailure },
      {
        index: 1,
        status: 'queued',
        attempts: 2,
        paused,
        lastFailure: expect.objectContaining({ upstreamStatus: 503 }),
      },
    ]);
    await batches.cancel(id);
    const ended = await batches.untilEnded(id);
    const lastFailure = expect.objectContaining({ upstreamStatus: 503 });
    expect(ended.items).toEqual([0, 1].map((index) => ({ index, status: 'cancelled', attempts: 2, lastFailure })));
  });

  // Seen to fail with one attempt for the item that had made two.
  test('has failed if its batch was terminated while it was paused, and shows the attempts that began', async () => {
    const { id } = await batches.submit({ items: [{ category: addCategory([{ status: 503 }, { hang: 'headers' }]) }] });
    await batches.until(id, ({ items }) => isSecond(items?.[0], 'running'));
    await pause(`${id}~0`, '0');
    await untilWaiting(id);
    await holdfast.client.workflow.getHandle(id).terminate();
    const { items } = await eventually(
      () => batches.read(id, '?limit=10'),
      (batch) => batch.items?.[0]?.status === 'failed',
    );
    expect(items).toEqual([
      { index: 0, status: 'failed', attempts: 2, lastFailure: pauseFailure, failure: expect.any(Object) },
    ]);
  });

  // Seen to fail with an item that ran for ever in a batch that had completed.
  test('has failed as terminated if an operator terminates only its chunk, and its batch counts it as failed', async () => {
    const { id } = await batches.submit({ items: [{}, { category: addCategory([{ status: 503 }]) }] });
    await batches.until(id, ({ items }) => isSecond(items?.[1], 'retrying'));
    await activity(`${id}~0`, '1').stretchWait();
    // The chunk reports its counts after 2 s. Its batch knows only what was reported.
    await batches.untilCounts(id, ({ completed }) => completed === 1);
    await holdfast.client.workflow.getHandle(`${id}~0`).terminate();
    const { completed, failed, items } = await batches.untilEnded(id);
    expect(items?.[0]).toMatchObject({ status: 'completed' });
    expect(items?.[1]).toMatchObject({ index: 1, status: 'failed', attempts: 2, failure: { reason: 'terminated' } });
    expect({ completed, failed }).toEqual({ completed: 1, failed: 1 });
    expect((await batches.read(id, '?status=failed')).items).toEqual([items?.[1]]);
    expect((await batches.read(id, '?status=running')).items).toEqual([]);
  });

  test('is cancelled if an operator cancels only its chunk, and its batch counts it as cancelled', async () => {
    const { id } = await batches.submit({ items: [{}, { category: addCategory([{ status: 503 }]) }] });
    await batches.until(id, ({ items }) => isSecond(items?.[1], 'retrying'));
    await activity(`${id}~0`, '1').stretchWait();
    await holdfast.client.workflow.getHandle(`${id}~0`).cancel();
    const { completed, cancelled, items } = await batches.untilEnded(id);
    expect(items).toMatchObject([{ status: 'completed' }, { status: 'cancelled' }]);
    expect({ completed, cancelled }).toEqual({ completed: 1, cancelled: 1 });
    expect((await batches.read(id, '?status=cancelled')).items).toEqual([items?.[1]]);
  });

  test('has failed as terminated if an operator terminates a chunk that has not scheduled it yet', async () => {
    const workerless = await startHoldfast();
    onTestFinished(() => workerless.stop());
    const { id } = await withBatches(workerless).submit({ count: 1 });
    const chunk = await workerless.client.workflow.start(slicedChunkType, {
      workflowId: toChunkId(id, 0),
      taskQueue: workerless.config.taskQueue,
    });
    await chunk.terminate();
    const { items } = await withBatches(workerless).read(id, '?limit=1');
    expect(items).toEqual([{ index: 0, status: 'failed', attempts: 0, failure: expect.any(Object) }]);
    await workerless.client.workflow.getHandle(id).terminate();
  });

  test('says so if an operator failed it', async () => {
    const { id } = await batches.submit({ items: [{ category: addCategory([{ status: 503 }, { hang: 'headers' }]) }] });
    await batches.until(id, ({ items }) => isSecond(items?.[0], 'running'));
    await activity(`${id}~0`, '0').fail('by hand');
    const { items } = await batches.untilEnded(id);
    expect(items?.[0]).toMatchObject({ status: 'failed', failure: { message: 'The task was failed by an operator' } });
  });
});
