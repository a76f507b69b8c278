import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { batchType } from '../../../../src/contract.ts';
import { toActivityOptions } from '../../../../src/policy.ts';
import { withBatches } from '../../../support/batches.ts';
import {
  type Holdfast,
  isFinished,
  type RunningWorker,
  startHoldfast,
  startWorker,
} from '../../../support/holdfast.ts';
import { toUnfittingBuild } from '../../../support/other-build.ts';

let holdfast: Holdfast;
let batches: ReturnType<typeof withBatches>;
let worker: RunningWorker;

beforeAll(async () => {
  holdfast = await startHoldfast({ HEARTBEAT_TIMEOUT: '1', BASE_DELAY: '0.2', MAX_DELAY: '0.2', MAX_ATTEMPTS: '100' });
  batches = withBatches(holdfast);
  holdfast.jokes.rules.add({ then: [{ hang: 'headers' }], repeat: true });
});
afterAll(async () => {
  await worker.stop();
  await holdfast.stop();
});

const unfitting = {
  reason: expect.stringContaining('does not fit the history'),
  since: expect.stringMatching(/^\d{4}-.*Z$/),
};

/** Ends the worker and starts one from a build whose workflow code does not fit the running histories. */
async function deployUnfittingBuild() {
  await worker.stop();
  worker = await startWorker(holdfast.config, undefined, toUnfittingBuild());
}
async function deployFittingBuild() {
  await worker.stop();
  worker = await startWorker(holdfast.config);
}

// Seen to fail: the task was `cancelling` for ever, and nothing said why.
test('after a deploy that does not fit its history, a task says that it is stuck, until a fitting build runs', async () => {
  worker = await startWorker(holdfast.config);
  const { id } = await holdfast.submit();
  expect(await holdfast.until(id, ({ status }) => status === 'running')).not.toHaveProperty('stuck');
  await deployUnfittingBuild();
  await holdfast.call('POST', `/tasks/${id}/cancel`);
  const task = await holdfast.until(id, ({ stuck }) => stuck !== undefined, 60_000);
  expect(task).toMatchObject({ status: 'cancelling', stuck: unfitting });
  expect(JSON.stringify(task.stuck)).not.toMatch(/TMPRL|HistoryEvent/);

  await deployFittingBuild();
  const ended = await holdfast.until(id, isFinished, 60_000);
  expect(ended.status).toBe('cancelled');
  expect(ended).not.toHaveProperty('stuck');
}, 150_000);

// Seen to fail: both batches were `running` for ever.
test('a batch keeps the limit of items in flight that it started with, even on a build with another limit', async () => {
  await deployFittingBuild();
  const batch = await batches.submit({ count: 450 });
  await batches.until(batch.id, ({ items = [] }) => items.some(({ status }) => status === 'running'));
  // A batch of an earlier build has no limit in its input. This one shows that the other build would not fit.
  const former = batch.id.replace(/[^_]*$/, randomUUID());
  const options = toActivityOptions(holdfast.config.policy);
  const chunkSizes = [100, 100, 100, 100, 50];
  await holdfast.client.workflow.start(batchType, {
    workflowId: former,
    taskQueue: holdfast.config.taskQueue,
    args: [{ name: 'fetch-joke', inputs: { count: 450, input: {} }, chunkSizes, options }],
    memo: { chunkSizes, submittedAt: new Date().toISOString() },
  });
  await batches.until(former, ({ items = [] }) => items.length === 450);
  await deployUnfittingBuild();
  for (const id of [batch.id, former]) await batches.cancel(id);
  await batches.untilCounts(former, ({ stuck }) => stuck !== undefined, 60_000);
  expect(await batches.read(former)).toMatchObject({ status: 'running', stuck: unfitting });
  expect(await batches.untilEnded(batch.id, 60_000)).toMatchObject({ status: 'cancelled', cancelled: 450 });

  await deployFittingBuild();
  expect(await batches.untilEnded(former, 60_000)).toMatchObject({ status: 'cancelled', cancelled: 450 });
}, 240_000);
