import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Connection } from '@temporalio/client';
import { expect, inject, test } from 'vitest';
import { nodeArguments } from '../../../cli/node-arguments.ts';
import { isListening } from '../../../local/processes/ports.ts';
import { isAlive } from '../../../local/processes/process-identity.ts';
import { readLock } from '../../../local/start/lock-file.ts';
import {
  createInstallation,
  expectNothingLeft,
  start,
  submit,
  untilCompleted,
  untilReady,
} from '../../support/installation.ts';
import { run, waitFor } from '../../support/processes.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

// Seen to fail for SIGINT without `exec` in package.json: npm's shell receives the signal and waits for its command.
test.each(['SIGKILL', 'SIGINT'] as const)(
  '%s to npm alone stops everything in order',
  async (signal) => {
    const installation = await createInstallation();
    const npm = run('npm', ['start', '--prefix', root, '--', '--demo'], installation.env);
    await untilReady(npm);
    const lock = readLock(join(installation.dataDir, 'lock.json'));
    // The Temporal CLI serves the Web UI itself. Temporal's own server has a process beside it for that.
    expect(lock?.children).toHaveLength(inject('temporal').webUi ? 6 : 5);
    npm.child.kill(signal);
    await waitFor(() => lock && !isAlive(lock), 20_000);
    await expectNothingLeft(installation, lock?.children ?? []);
  },
  90_000,
);

test('TEMPORAL_ADDRESS replaces the embedded server, and --demo overrides API_BASE_URL and says so', async () => {
  const installation = await createInstallation({
    TEMPORAL_ADDRESS: inject('devServer'),
    TASK_QUEUE: `start-${process.pid}`,
    API_BASE_URL: 'http://127.0.0.1:9',
  });
  const started = start(installation, '--demo');
  await untilReady(started);
  expect(installation.readChildren().map(({ name }) => name)).toEqual(['watchdog', 'joke API', 'worker', 'API']);
  expect(started.lines.join('\n')).not.toContain('Web UI');
  expect(started.lines[0]).toContain('not from API_BASE_URL=http://127.0.0.1:9');
  await untilCompleted(installation, (await submit(installation)).id);
  started.child.kill('SIGTERM');
  await expect(started.ended).resolves.toEqual([143, null]);
}, 90_000);

test('the embedded server keeps finished tasks for RETENTION_DAYS in the configured namespace', async () => {
  const installation = await createInstallation({ RETENTION_DAYS: '3', TEMPORAL_NAMESPACE: 'jokes' });
  const started = start(installation, '--demo');
  await untilReady(started);
  const connection = Connection.lazy({ address: `127.0.0.1:${installation.env.EMBEDDED_TEMPORAL_PORT}` });
  const { config } = await connection.workflowService.describeNamespace({ namespace: 'jokes' });
  await connection.close();
  expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(3 * 86_400);
  await untilCompleted(installation, (await submit(installation)).id);
  started.child.kill('SIGTERM');
  await started.ended;
}, 90_000);

/** Seen to fail before: gRPC dialled loopback through the proxy, and the start gave up after 60 s. */
test.each([
  ['http_proxy', { http_proxy: 'http://127.0.0.1:9', https_proxy: '', grpc_proxy: '' }],
  ['http_proxy with NO_PROXY in upper case', { http_proxy: 'http://127.0.0.1:9', NO_PROXY: 'localhost,127.0.0.1' }],
  ['grpc_proxy and HTTPS_PROXY', { grpc_proxy: 'http://127.0.0.1:9', HTTPS_PROXY: 'http://127.0.0.1:9' }],
])(
  'a proxy in the environment (%s) has no effect on the connections of npm start to its own processes',
  async (_, variables) => {
    const installation = await createInstallation({ no_proxy: '', no_grpc_proxy: '', ...variables });
    const started = start(installation, '--demo');
    await untilReady(started);
    await untilCompleted(installation, (await submit(installation)).id);
    started.child.kill('SIGTERM');
    await expect(started.ended).resolves.toEqual([143, null]);
  },
  90_000,
);

/** The ports from 1024 that fetch refuses (https://fetch.spec.whatwg.org/#port-blocking), 10080 first. */
const blockedPorts = [10080, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6679, 6697];

// Seen to fail before: fetch refuses this port, so `npm start` never saw the API and ended after 120 s.
test('an API on a port that browsers block becomes ready, and npm run task reaches it', async () => {
  const inUse = await Promise.all(blockedPorts.map(isListening));
  const installation = await createInstallation({ PORT: String(blockedPorts[inUse.indexOf(false)]) });
  const started = start(installation, '--demo');
  await untilReady(started);
  const task = run(
    process.execPath,
    [...nodeArguments(join(root, 'scripts/task.ts')), 'fetch-joke', '--watch'],
    installation.env,
  );
  expect(await task.ended).toEqual([0, null]);
  started.child.kill('SIGTERM');
  await started.ended;
}, 90_000);
