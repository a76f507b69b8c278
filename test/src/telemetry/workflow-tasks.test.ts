import { PassThrough } from 'node:stream';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { serveMonitor } from '../../../src/telemetry/monitor.ts';
import { installRuntime } from '../../../src/telemetry/runtime.ts';
import { createTaskFailureCheck, createTaskFailureLog } from '../../../src/telemetry/workflow-tasks.ts';
import { eventually, type Holdfast, startHoldfast, startWorker } from '../../support/holdfast.ts';
import { toUnfittingBuild } from '../../support/other-build.ts';

// This file installs the SDK's runtime of a real worker instead of the quiet one.
vi.mock('../../../local/time-skipping/quiet-runtime.ts', () => ({ quietRuntime: () => {} }));

let holdfast: Holdfast;
beforeAll(async () => {
  holdfast = await startHoldfast({ HEARTBEAT_TIMEOUT: '1', BASE_DELAY: '0.2', MAX_DELAY: '0.2', MAX_ATTEMPTS: '100' });
});
afterAll(() => holdfast.stop());

// Seen to fail: the only sign was the line `Failing workflow task`, without a name, and `/health` was 200.
test('after a deploy that does not fit, the worker logs the workflow as JSON, and its /health is a 503', async () => {
  const lines: Record<string, unknown>[] = [];
  const output = new PassThrough().on('data', (text) => lines.push(JSON.parse(String(text))));
  const log = pino({ level: 'warn' }, output);
  const sdkMetrics = installRuntime(log, createTaskFailureLog(holdfast.client, log));
  const monitor = await serveMonitor(
    { workerMetrics: { host: '127.0.0.1', port: 0 }, keepAliveMs: 1_000 },
    { isRunning: () => true, registry: new Registry(), sdkMetrics },
  );
  const readHealth = async () => {
    const response = await fetch(`${monitor.url}/health`);
    return { status: response.status, body: await response.json() };
  };

  const fitting = await startWorker(holdfast.config);
  holdfast.jokes.rules.add({ then: [{ hang: 'headers' }], repeat: true });
  const { id } = await holdfast.submit();
  await holdfast.until(id, ({ status }) => status === 'running');
  expect(await readHealth()).toEqual({ status: 200, body: { status: 'running' } });
  await fitting.stop();

  const unfitting = await startWorker(holdfast.config, undefined, toUnfittingBuild());
  await holdfast.call('POST', `/tasks/${id}/cancel`);
  const line = await eventually(
    () => lines.find(({ workflowId, level }) => workflowId === id && level === 50),
    (found) => found !== undefined,
  );
  expect(line).toMatchObject({
    level: 50,
    workflowId: id,
    workflowType: 'fetch-joke',
    runId: expect.any(String),
    failure: expect.stringContaining('Nondeterminism'),
    msg: expect.stringContaining('does not fit the history'),
  });
  expect(await readHealth()).toEqual({
    status: 503,
    body: { status: 'workflow tasks fail', workflowTasks: ['fetch-joke: NonDeterminismError'] },
  });
  await unfitting.stop();
  const again = await startWorker(holdfast.config);
  await holdfast.until(id, ({ status }) => status === 'cancelled', 60_000);
  await again.stop();
  monitor.close();
}, 150_000);

test('a failed workflow task counts for a minute after the last one', () => {
  let ms = 0;
  const findFailures = createTaskFailureCheck(() => ms);
  const toMetrics = (count: number) =>
    `# TYPE temporal_workflow_task_execution_failed counter\ntemporal_workflow_task_execution_failed{failure_reason="WorkflowError",task_queue="t",workflow_type="run-batch"} ${count}\n`;
  expect(findFailures('')).toEqual([]);
  expect(findFailures(toMetrics(1))).toEqual(['run-batch: WorkflowError']);
  ms = 59_000;
  expect(findFailures(toMetrics(2))).toEqual(['run-batch: WorkflowError']);
  ms = 118_000;
  expect(findFailures(toMetrics(2))).toEqual(['run-batch: WorkflowError']);
  ms = 120_000;
  expect(findFailures(toMetrics(2))).toEqual([]);
});
