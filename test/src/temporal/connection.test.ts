import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { NativeConnection } from '@temporalio/worker';
import { afterEach, beforeEach, expect, inject, it, vi } from 'vitest';
import { createClient } from '../../../src/temporal/connection.ts';
import { longPoll } from '../../../src/temporal/deadline.ts';
import { startRawUpstream } from '../../support/raw-upstream.ts';

let proxy: Awaited<ReturnType<typeof startRawUpstream>>;
beforeEach(async () => {
  proxy = await startRawUpstream(({ socket }) => socket.destroy());
  for (const name of ['http_proxy', 'https_proxy', 'grpc_proxy', 'HTTP_PROXY', 'HTTPS_PROXY'])
    vi.stubEnv(name, proxy.url);
  for (const name of ['no_grpc_proxy', 'no_proxy', 'NO_PROXY']) vi.stubEnv(name, '');
});
afterEach(() => {
  vi.unstubAllEnvs();
  proxy.close();
});

async function callWithClient(address: string) {
  const { connection } = createClient({ temporal: { address, namespace: 'default' } });
  try {
    await connection.workflowService.getSystemInfo({});
    return 'answered';
  } catch {
    return 'not answered';
  } finally {
    await connection.close();
  }
}

const callAsWorker = (address: string) =>
  NativeConnection.connect({ address }).then(
    (connection) => connection.close().then(() => 'answered'),
    () => 'not answered',
  );

// Seen to fail before: the API's client was not answered, and the proxy got its CONNECT.
it.each([
  ['API', callWithClient],
  ['worker', callAsWorker],
])('the %s dials Temporal on loopback directly, whatever proxy the environment names', async (_, call) => {
  expect(await call(inject('devServer'))).toBe('answered');
  expect(proxy.sockets).toEqual([]);
});

it.each([
  ['API', callWithClient],
  ['worker', callAsWorker],
])('the %s dials a remote Temporal directly too', async (_, call) => {
  expect(await call('temporal.invalid:7233')).toBe('not answered');
  expect(proxy.sockets).toEqual([]);
});

// Seen to fail when the namespace replaced the headers that TEMPORAL_GRPC_META_… adds.
it('a call has the header of its namespace and those of the configuration', async () => {
  const seen: IncomingHttpHeaders[] = [];
  const server = createServer().on('stream', (stream, headers) => {
    seen.push(headers);
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '5' }, { endStream: true });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = createClient({ temporal: { address, namespace: 'team', metadata: { 'x-tenant': 'blue' } } });
  await expect(client.workflow.getHandle('none').describe()).rejects.toThrow();
  await client.connection.close();
  server.close();
  expect(seen).toEqual([expect.objectContaining({ 'temporal-namespace': 'team', 'x-tenant': 'blue' })]);
});

// Seen to fail with the deadline of other calls, without the signal, and with the SDK's withMetadata and withDeadline.
it('a long poll outlives the deadline of other calls, ends with its caller, and needs no AsyncLocalStorage', async () => {
  const contexts = vi.spyOn(AsyncLocalStorage.prototype, 'run');
  const client = createClient({ temporal: { address: inject('devServer'), namespace: 'default' } });
  const workflowId = randomUUID();
  const handle = await client.workflow.start('nobody-runs-it', { workflowId, taskQueue: workflowId });
  const leaving = new AbortController();
  const poll = longPoll(leaving.signal, () =>
    client.workflowService.getWorkflowExecutionHistory({
      namespace: 'default',
      execution: { workflowId },
      waitNewEvent: true,
      historyEventFilterType: 2,
    }),
  );
  const end = poll.then(
    () => 'answered',
    () => 'left',
  );
  expect(await Promise.race([end, setTimeout(3_000, 'open')])).toBe('open');
  leaving.abort();
  expect(await Promise.race([end, setTimeout(1_000, 'open')])).toBe('left');
  await handle.terminate();
  expect(contexts).not.toHaveBeenCalled();
  contexts.mockRestore();
  await client.connection.close();
});
