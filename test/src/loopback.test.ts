import { request } from 'node:http';
import { Registry } from 'prom-client';
import { expect, onTestFinished, test } from 'vitest';
import { startJokeApi } from '../../local/joke-api/create-joke-api.ts';
import { toHiddenAddress } from '../../src/loopback.ts';
import { serveMonitor } from '../../src/telemetry/monitor.ts';

type Call = { method?: string; path: string; headers?: Record<string, string>; body?: string };

/** Sends with Node's own client, because `fetch` sets `Host` itself. Returns the status. */
const send = (url: string, { method = 'GET', path, headers = {}, body }: Call) =>
  new Promise<number | undefined>((resolve, reject) => {
    const outgoing = request(url, { method, path, headers, agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    });
    outgoing.on('error', reject).end(body);
  });

async function startMonitor(host: string) {
  const config = { workerMetrics: { host, port: 0 }, keepAliveMs: 1_000 };
  const monitor = await serveMonitor(config, {
    isRunning: () => true,
    registry: new Registry(),
    sdkMetrics: 'http://127.0.0.1:1',
  });
  onTestFinished(() => void monitor.close());
  return monitor.url.replace('0.0.0.0', '127.0.0.1');
}

async function startJokes() {
  const api = await startJokeApi();
  onTestFinished(() => api.close());
  return api;
}

const foreignHosts = ['elsewhere.example', '127.0.0.1.elsewhere.example', '10.0.0.1', '0.0.0.0'];

// Seen to fail when the worker's server checked no Host.
test.each(foreignHosts)('a worker that serves on loopback refuses the host %s', async (host) => {
  const url = await startMonitor('127.0.0.1');
  for (const path of ['/health', '/metrics']) {
    expect(await send(url, { path, headers: { host } })).toBe(421);
    expect(await send(url, { path })).toBe(200);
  }
});

test('a worker that serves on a network answers requests to any host', async () => {
  const url = await startMonitor('0.0.0.0');
  expect(await send(url, { path: '/metrics', headers: { host: 'worker-1.holdfast.example:9464' } })).toBe(200);
});

// Seen to fail when the joke API accepted rules from everyone.
test.each(foreignHosts)('the joke API shows and changes nothing for the host %s', async (host) => {
  const { url, rules } = await startJokes();
  expect(await send(url, { path: '/admin/ledger', headers: { host } })).toBe(421);
  expect(await send(url, { method: 'POST', path: '/admin/rules', headers: { host }, body: '{"then":[{}]}' })).toBe(421);
  expect(rules.list()).toEqual([]);
});

const foreignPages = [{ origin: 'http://elsewhere.example' }, { origin: 'null' }, { 'sec-fetch-site': 'same-site' }];

test.each(foreignPages)('a web page that says %j cannot script the joke API', async (headers: object) => {
  const { url, rules } = await startJokes();
  const plain = { 'content-type': 'text/plain', ...headers };
  expect(await send(url, { method: 'POST', path: '/admin/rules', headers: plain, body: '{"then":[{}]}' })).toBe(403);
  expect(rules.list()).toEqual([]);
  rules.add({ then: [{}] });
  expect(await send(url, { method: 'DELETE', path: '/admin/rules', headers: plain })).toBe(403);
  expect(rules.list()).toHaveLength(1);
});

test('curl, which sends no Origin, scripts the joke API with a body of any type', async () => {
  const { url, rules } = await startJokes();
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  expect(await send(url, { method: 'POST', path: '/admin/rules', headers, body: '{"then":[{}]}' })).toBe(201);
  expect(rules.list()).toHaveLength(1);
});

test('hidden addresses are loopback, and on Linux they differ', () => {
  const addresses = Array.from({ length: 100 }, toHiddenAddress);
  for (const address of addresses) expect(address).toMatch(/^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/);
  expect(new Set(addresses).size).toBeGreaterThan(process.platform === 'linux' ? 95 : 0);
});
