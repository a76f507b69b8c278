import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startProxy, type TcpProxy } from '../../../proof/chaos/stack/proxy.ts';
import { eventually } from '../../support/holdfast.ts';

let requests: number;
let server: Server;
let proxy: TcpProxy;

beforeEach(async () => {
  requests = 0;
  server = createServer((_, response) => {
    requests += 1;
    response.end('joke');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = await startProxy((server.address() as AddressInfo).port);
});
afterEach(async () => {
  await proxy.close();
  server.closeAllConnections();
  server.close();
});

const ask = (timeoutMs = 5_000) =>
  fetch(`http://127.0.0.1:${proxy.port}/`, { signal: AbortSignal.timeout(timeoutMs) }).then((answer) => answer.text());

test('passes traffic unchanged and does not count it as affected', async () => {
  expect(await ask()).toBe('joke');
  expect(proxy.set({ kind: 'pass' })).toBe(0);
});

test('delays both directions by at least the given time, and returns how many chunks were late', async () => {
  proxy.set({ kind: 'delay', ms: 150 });
  const before = performance.now();
  expect(await ask()).toBe('joke');
  expect(performance.now() - before).toBeGreaterThanOrEqual(300);
  expect(proxy.set({ kind: 'pass' })).toBeGreaterThanOrEqual(2);
});

test('cuts open and new connections until it passes traffic again', async () => {
  const idle = connect(proxy.port, '127.0.0.1');
  await once(idle, 'connect');
  idle.on('error', () => {});
  idle.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  await once(idle, 'data');
  const closed = new Promise((settle) => idle.once('close', settle));
  proxy.set({ kind: 'cut' });
  await closed;
  await expect(ask()).rejects.toThrow();
  expect(requests).toBe(1);
  expect(proxy.set({ kind: 'pass' })).toBeGreaterThanOrEqual(2);
  expect(await ask()).toBe('joke');
});

test('drops the answers of executed requests, and resets their connections when it passes traffic again', async () => {
  proxy.set({ kind: 'drop' });
  const asked = ask();
  const failure = expect(asked).rejects.toThrow();
  await eventually(
    () => requests,
    (count) => count === 1,
  );
  await eventually(
    () => proxy.affected(),
    (count) => count > 0,
  );
  expect(proxy.set({ kind: 'pass' })).toBeGreaterThanOrEqual(1);
  await failure;
  expect(await ask()).toBe('joke');
});
