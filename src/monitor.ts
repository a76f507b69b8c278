import { once } from 'node:events';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import type { Registry } from 'prom-client';

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
