import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { NativeConnection, type WorkflowBundleOption } from '@temporalio/worker';
import { pino } from 'pino';
import { inject } from 'vitest';
import { until } from '../../cli/until.ts';
import { startJokeApi } from '../../local/joke-api/create-joke-api.ts';
import { quietRuntime } from '../../local/time-skipping/quiet-runtime.ts';
import type { AttemptRecord } from '../../src/activities/observe.ts';
import { createApp } from '../../src/api/app.ts';
import type { Task } from '../../src/api/views/schemas.ts';
import { type Config, type Environment, loadConfig } from '../../src/config/config.ts';
import { createWorkers } from '../../src/create-workers.ts';
import { listen } from '../../src/listen.ts';
import { createApiMetrics } from '../../src/telemetry/metrics.ts';
import { createClient } from '../../src/temporal/connection.ts';
import { createContract, type Document } from './contract.ts';
import { engine } from './engine.ts';

export type RunningWorker = { attempts: AttemptRecord[]; stop: () => Promise<void> };

/** Starts a real worker with the real workflow bundle. `stop` drains it. Without `connection` it opens one itself. */
export async function startWorker(
  config: Config,
  connection?: NativeConnection,
  workflowBundle: WorkflowBundleOption = { codePath: inject('workflowBundle') },
): Promise<RunningWorker> {
  const attempts: AttemptRecord[] = [];
  const own = connection ? undefined : await NativeConnection.connect({ address: config.temporal.address });
  const workers = await createWorkers(config, {
    connection: (connection ?? own) as NativeConnection,
    workflowBundle,
    record: (attempt) => attempts.push(attempt),
  });
  const run = workers.run();
  let stopped: Promise<void> | undefined;
  const end = async () => {
    workers.shutdown();
    await run;
    await own?.close();
  };
  return {
    attempts,
    stop: () => {
      stopped ??= end();
      return stopped;
    },
  };
}

/**
 * Starts Holdfast in this process, on the shared dev server and its own task queue: an API on a free port over real
 * HTTP, and the joke API as upstream. Call `startWorker` for workers. `environment` overrides variables.
 */
export async function startHoldfast(environment: Environment = {}) {
  quietRuntime();
  const jokes = await startJokeApi();
  const config = loadConfig({
    TASK_QUEUE: `test-${randomUUID()}`,
    TEMPORAL_ADDRESS: inject('devServer'),
    API_BASE_URL: jokes.url,
    SHUTDOWN_GRACE: '1',
    ENGINE: engine,
    ...environment,
  });
  const client = createClient(config);
  const metrics = createApiMetrics();
  const app = createApp({ client, config, log: pino({ level: 'silent' }), metrics });
  const server = await listen(app, { ...config, host: '127.0.0.1', port: 0 });
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  const workers: RunningWorker[] = [];
  const document = await app.request('/openapi.json', { headers: { host: 'localhost' } });
  const contract = createContract((await document.json()) as Document);

  const holdfast = {
    url,
    config,
    client,
    jokes,
    contract,
    /** Returns status, headers and parsed JSON body. Throws for an answer that the OpenAPI document does not have. */
    async call(method: string, path: string, init: Omit<RequestInit, 'method'> = {}) {
      const { status, headers, text } = await holdfast.fetch(method, path, init);
      return { status, headers, text, body: text ? JSON.parse(text) : undefined };
    },
    /** Like `call`, for answers that are not JSON. */
    async fetch(method: string, path: string, init: Omit<RequestInit, 'method'> = {}) {
      const response = await fetch(`${url}${path}`, { method, ...init });
      const { status, headers } = response;
      const text = await response.text();
      contract.check({ method, path, status, headers, text });
      return { status, headers, text };
    },
    /** Submits a fetch-joke task. Rules of the joke API match its `category`. */
    async submit(input?: { category?: string }): Promise<Task> {
      const init = input && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(input) };
      const { status, body } = await holdfast.call('POST', '/tasks/fetch-joke', init);
      if (status !== 202) throw new Error(`POST /tasks/fetch-joke answered ${status}: ${JSON.stringify(body)}`);
      return body;
    },
    async read(id: string): Promise<Task> {
      return (await holdfast.call('GET', `/tasks/${id}`)).body;
    },
    /** Returns the task as soon as `holds` is true for it. Fails with its last state after `timeoutMs`. */
    async until(id: string, holds: (task: Task) => boolean, timeoutMs = 30_000): Promise<Task> {
      return await eventually(() => holdfast.read(id), holds, timeoutMs);
    },
    async startWorker() {
      const worker = await startWorker(config);
      workers.push(worker);
      return worker;
    },
    async stop() {
      await Promise.all(workers.map((worker) => worker.stop()));
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      await client.connection.close();
      await jokes.close();
    },
  };
  return holdfast;
}

export type Holdfast = Awaited<ReturnType<typeof startHoldfast>>;

export const isFinished = (task: Task) => task.finishedAt !== undefined;

/** Polls until `holds` is true for the value, and returns the value. Fails with the last value after `timeoutMs`. */
export async function eventually<T>(
  read: () => Promise<T> | T,
  holds: (value: T) => boolean,
  timeoutMs = 30_000,
): Promise<T> {
  let last: T | undefined;
  const find = async () => {
    const value = await read();
    last = value;
    return holds(value) && { value };
  };
  const onTimeout = () => `still not so after ${timeoutMs} ms: ${JSON.stringify(last)}`;
  const { value } = await until(find, { withinMs: timeoutMs, everyMs: 20, onTimeout });
  return value;
}
