import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { Registry } from 'prom-client';
import { expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../src/config/config.ts';
import { toHttpUrl } from '../../src/http-url.ts';
import { serveMonitor } from '../../src/telemetry/monitor.ts';
import { startHoldfast } from '../support/holdfast.ts';
import { toSecret } from '../support/signed-in.ts';

/** Makes a request and keeps the connection open. */
async function openConnection(url: string) {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  const connection = {
    closed: once(socket, 'close').then(() => performance.now()),
    isClosed: () => socket.closed,
    async ask(path = '/health', secret?: string) {
      const authorization = secret ? `Authorization: Bearer ${secret}\r\n` : '';
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${authorization}\r\n`);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      return answer.toString();
    },
  };
  expect(await connection.ask()).toMatch(/^HTTP\/1.1 200 /);
  return connection;
}

async function startApi(environment = {}) {
  const holdfast = await startHoldfast(environment);
  onTestFinished(() => holdfast.stop());
  return holdfast.url;
}

// Seen to fail with Node's own keep-alive of 5 s.
test('the API keeps an idle connection for 65 s by default, when Node itself would have closed it', async () => {
  const plain = createServer((_, response) => response.end()).listen(0, '127.0.0.1');
  onTestFinished(() => void plain.close());
  await once(plain, 'listening');
  const { port } = plain.address() as { port: number };
  const [others, ours] = [await openConnection(toHttpUrl('127.0.0.1', port)), await openConnection(await startApi())];
  await others.closed;
  expect(await ours.ask()).toMatch(/^HTTP\/1.1 200 .*\r\nKeep-Alive: timeout=65\r\n/s);
  expect(ours.isClosed()).toBe(false);
});

test('KEEP_ALIVE_SECONDS says after how many seconds the API closes an idle connection', async () => {
  const url = await startApi({ KEEP_ALIVE_SECONDS: '1' });
  const connection = await openConnection(url);
  const answeredAt = performance.now();
  const idleMs = (await connection.closed) - answeredAt;
  expect(idleMs).toBeGreaterThan(900);
  expect(idleMs).toBeLessThan(4_000);
});

test("a worker's metrics page keeps connections for the same time", async () => {
  const monitored = { isRunning: () => true, registry: new Registry(), sdkMetrics: 'http://127.0.0.1:1' };
  const monitor = await serveMonitor(loadConfig({}), monitored);
  onTestFinished(() => void monitor.close());
  expect((await fetch(`${monitor.url}/health`)).headers.get('keep-alive')).toBe('timeout=65');
});

// Seen to fail without the limit, and when authenticated connections counted.
test('above MAX_CONNECTIONS, the connection that has waited longest for an authenticated request is closed', async () => {
  const secret = toSecret('connections');
  const url = await startApi({ MAX_CONNECTIONS: '3', API_KEYS: `connections:${secret}` });
  const clients = [];
  for (let count = 0; count < 5; count += 1) {
    const client = await openConnection(url);
    expect(await client.ask('/tasks', secret)).toMatch(/^HTTP\/1.1 200 /);
    clients.push(client);
  }
  const strangers = [];
  for (let count = 0; count < 3; count += 1) strangers.push(await openConnection(url));
  expect(strangers.map(({ isClosed }) => isClosed())).toEqual([false, false, false]);
  const next = await openConnection(url);
  await strangers[0]?.closed;
  expect([...strangers.slice(1), next].map(({ isClosed }) => isClosed())).toEqual([false, false, false]);
  for (const client of clients) expect(await client.ask('/tasks', secret)).toMatch(/^HTTP\/1.1 200 /);
});

test('without API keys, a connection no longer counts for MAX_CONNECTIONS after its first request', async () => {
  const url = await startApi({ MAX_CONNECTIONS: '1' });
  const connections = [];
  for (let count = 0; count < 5; count += 1) connections.push(await openConnection(url));
  for (const { ask } of connections) expect(await ask()).toMatch(/^HTTP\/1.1 200 /);
});

// Seen to fail when the host was printed as it is.
test.each([
  ['::1', 8504, 'http://[::1]:8504'],
  ['127.0.0.1', 8504, 'http://127.0.0.1:8504'],
  ['localhost', 8504, 'http://localhost:8504'],
])('the URL of host %s and port %i is %s', (host, port, url) => {
  expect(toHttpUrl(host, port)).toBe(url);
  expect(URL.canParse(url)).toBe(true);
});
