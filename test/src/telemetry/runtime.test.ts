import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Runtime } from '@temporalio/worker';
import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { toHiddenAddress } from '../../../src/loopback.ts';
import { installRuntime, toSdkLogger } from '../../../src/telemetry/runtime.ts';

vi.mock('node:crypto', { spy: true });
vi.mock('../../../src/loopback.ts', { spy: true });
vi.mocked(toHiddenAddress).mockReturnValue('127.0.0.1');

async function listen() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

// Seen to fail when a taken port ended the worker.
test('the SDK serves its metrics on the next port if another process has the first', async () => {
  const taken = await listen();
  const free = await listen();
  await new Promise((closed) => free.server.close(closed));
  for (const port of [taken.port, taken.port, free.port]) vi.mocked(randomInt).mockReturnValueOnce(port as never);
  expect(installRuntime(pino({ level: 'silent' }))).toBe(`http://127.0.0.1:${free.port}/metrics`);
  expect((await fetch(`http://127.0.0.1:${free.port}/metrics`)).status).toBe(200);
  await Runtime.instance().shutdown();
  taken.server.close();
});

test('a runtime that cannot be installed at all is reported', async () => {
  const taken = await listen();
  vi.mocked(randomInt).mockReturnValue(taken.port as never);
  expect(() => installRuntime(pino({ level: 'silent' }))).toThrow('Failed to start prometheus metrics exporter');
  taken.server.close();
});

// Seen to fail when a line had only the id of a workflow.
test('the line of an attempt has the id of its workflow, or else that of its standalone activity', () => {
  const lines: object[] = [];
  const log = toSdkLogger(pino({ base: null, timestamp: false }, { write: (line) => lines.push(JSON.parse(line)) }));
  const attempt = { sdkComponent: 'activity', activityType: 'fetch-joke', attempt: 2 };
  log.info('of a workflow', { ...attempt, workflowId: 'a-task', activityId: '1' });
  log.info('of a standalone activity', { ...attempt, activityId: 'a-task' });
  const common = { level: 30, activityType: 'fetch-joke', attempt: 2 };
  expect(lines).toEqual([
    { ...common, workflowId: 'a-task', msg: 'of a workflow' },
    { ...common, activityId: 'a-task', msg: 'of a standalone activity' },
  ]);
});
