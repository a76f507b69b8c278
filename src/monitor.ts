import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import type { Registry } from 'prom-client';

const given = new Set<number>();

/**
 * A TCP port on loopback that was free a moment ago, another one each time. Below the range from which systems take the ports of outgoing
 * connections (32768 on Linux, 49152 elsewhere), so that none of those takes it before it is used.
 */
export async function findFreePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_768);
    const probe = createServer();
    const isFree = await new Promise<boolean>((settle) => {
      probe.once('error', () => settle(false)).listen(port, '127.0.0.1', () => settle(true));
    });
    if (!isFree) continue;
    probe.close();
    await once(probe, 'close');
    if (given.has(port)) continue;
    given.add(port);
    return port;
  }
}

type Monitored = { isRunning: () => boolean; registry: Registry; corePort: number };

/**
 * A worker's own small HTTP face: `GET /health`, and `GET /metrics` with our metrics and those that Temporal's core
 * exports on `corePort`, in one page, so that Prometheus has one target a worker.
 */
export async function serveMonitor(
  address: { host: string; port: number },
  { isRunning, registry, corePort }: Monitored,
) {
  const app = new Hono()
    .get('/health', (c) => (isRunning() ? c.json({ status: 'running' }) : c.json({ status: 'not running' }, 503)))
    .get('/metrics', async (c) => {
      const core = await fetch(`http://127.0.0.1:${corePort}/metrics`).then(
        (answer) => answer.text(),
        () => '',
      );
      return c.text(`${await registry.metrics()}\n${core}`, 200, { 'Content-Type': registry.contentType });
    });
  const server = serve({ fetch: app.fetch, hostname: address.host, port: address.port });
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return { url: `http://${address.host}:${port}`, close: () => server.close() };
}
