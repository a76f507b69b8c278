import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { expect, onTestFinished, test } from 'vitest';
import { quietRuntime } from '../../../local/time-skipping/quiet-runtime.ts';
import { eventually } from '../../support/holdfast.ts';
import { createOwnTemporal } from '../../support/own-temporal.ts';

const workflowsPath = fileURLToPath(new URL('../../support/early-retry-workflow.ts', import.meta.url));
const waitMs = 5_000;

// Seen to fail without `system.enableActivityRetryStampIncrement`: the second attempt came when the server was back.
test('a retry that is due later does not come early after the Temporal server was killed', async () => {
  quietRuntime();
  const temporal = await createOwnTemporal();
  onTestFinished(temporal.remove);
  await temporal.start();
  const { address } = temporal;
  const native = await NativeConnection.connect({ address });
  const calledAt: number[] = [];
  const attempt = async () => {
    calledAt.push(Date.now());
    if (calledAt.length === 1) throw new Error('the first attempt fails');
  };
  const worker = await Worker.create({
    ...{ connection: native, namespace: 'default', taskQueue: 'early-retry' },
    ...{ workflowsPath, activities: { attempt } },
  });
  const connection = await Connection.connect({ address });
  const running = worker.run();
  onTestFinished(async () => {
    worker.shutdown();
    await running;
    await connection.close();
    await native.close();
  });
  const { workflow } = new Client({ connection });
  const handle = await workflow.start('retryOnce', { taskQueue: 'early-retry', workflowId: 'early-retry' });
  const readAttempt = async () => (await handle.describe()).raw.pendingActivities?.[0]?.attempt;
  await eventually(readAttempt, (number) => number === 2);

  await temporal.kill();
  await temporal.start();
  await handle.result();
  const [first = 0, second = 0] = calledAt;
  expect(second - first).toBeGreaterThanOrEqual(waitMs - 50);
}, 120_000);
