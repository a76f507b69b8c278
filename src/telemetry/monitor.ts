import { once } from 'node:events';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import type { Registry } from 'prom-client';
import { request } from 'undici';
import type { Config } from '../config/config.ts';
import { toHttpUrl } from '../http-url.ts';
import { findRefusal, isLoopback } from '../loopback.ts';
import { direct } from '../outbound/dispatcher.ts';
import { createTaskFailureCheck } from './workflow-tasks.ts';

type Monitored = { isRunning: () => boolean; registry: Registry; sdkMetrics: string };

/**
 * Serves `GET /health` and `GET /metrics` of a worker. Returns the server's URL and a function that closes the server.
 *
 * `/health` is a 503 if the worker does not run, or if workflow tasks failed on it lately, for example because its
 * workflow code does not fit running workflows. `/metrics` has our metrics and the metrics of Temporal's SDK, which are
 * read from the URL `sdkMetrics`. Prometheus therefore needs only one target per worker.
 * @throws the system's error (`code: 'EADDRINUSE'`, …) if the address cannot be used.
 */
export async function serveMonitor(
  { workerMetrics: { host, port: wanted }, keepAliveMs }: Pick<Config, 'workerMetrics' | 'keepAliveMs'>,
  { isRunning, registry, sdkMetrics }: Monitored,
) {
  const readSdkMetrics = () =>
    request(sdkMetrics, { dispatcher: direct }).then(
      ({ body }) => body.text(),
      () => '',
    );
  const findTaskFailures = createTaskFailureCheck();
  const app = new Hono()
    // If the address is not loopback, this process does not know by which names clients call it.
    .use(async (c, next) => {
      const refusal = findRefusal(c.req, { loopbackOnly: isLoopback(host) });
      return refusal ? c.text(refusal.detail, refusal.status) : next();
    })
    .get('/health', async (c) => {
      if (!isRunning()) return c.json({ status: 'not running' }, 503);
      const workflowTasks = findTaskFailures(await readSdkMetrics());
      if (workflowTasks.length > 0) return c.json({ status: 'workflow tasks fail', workflowTasks }, 503);
      return c.json({ status: 'running' });
    })
    .get('/metrics', async (c) => {
      const metrics = `${await registry.metrics()}\n${await readSdkMetrics()}`;
      return c.text(metrics, 200, { 'Content-Type': registry.contentType });
    });
  const server = serve({
    fetch: app.fetch,
    hostname: host,
    port: wanted,
    serverOptions: { keepAliveTimeout: keepAliveMs },
  });
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return { url: toHttpUrl(host, port), close: () => server.close() };
}
