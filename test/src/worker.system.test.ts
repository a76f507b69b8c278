import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest';
import { findFreePort } from '../../local/processes/ports.ts';
import { withBatches } from '../support/batches.ts';
import { eventually, type Holdfast, isFinished, startHoldfast } from '../support/holdfast.ts';
import { createOwnTemporal } from '../support/own-temporal.ts';
import { type StartedProcess, startProcess } from '../support/start-process.ts';

const heartbeatTimeout = 2;
const baseDelay = 1;

let holdfast: Holdfast;
let processes: StartedProcess[] = [];

beforeAll(async () => {
  holdfast = await startHoldfast({
    HEARTBEAT_TIMEOUT: String(heartbeatTimeout),
    BASE_DELAY: String(baseDelay),
    JOB_TIMEOUT: '60',
  });
});
afterEach(async () => {
  await Promise.all(processes.map((child) => child.end('SIGKILL')));
  processes = [];
  holdfast.jokes.rules.clear();
});
afterAll(() => holdfast.stop());

async function startWorkerProcess(graceSeconds = 30) {
  const { config } = holdfast;
  const child = startProcess('worker', {
    TEMPORAL_ADDRESS: config.temporal.address,
    TASK_QUEUE: config.taskQueue,
    API_BASE_URL: config.upstreamUrl,
    SHUTDOWN_GRACE: String(graceSeconds),
  });
  processes.push(child);
  await child.waitForOutput('Worker ready');
  return child;
}

/** Submits a task whose first attempt gets this behaviour, and waits until the upstream has the call. */
async function submitAndReach(category: string, first: { hang: 'headers' } | { delayMs: number }) {
  holdfast.jokes.rules.add({ when: { category }, then: [first] });
  const { id } = await holdfast.submit({ category });
  await eventually(
    () => holdfast.jokes.ledger({ category }).length,
    (calls) => calls === 1,
  );
  return id;
}

// Seen to fail without withHeartbeat in fetch-joke.ts and without the heartbeat timeout in toActivityOptions.
test('after kill -9 of a worker in mid-attempt, another worker finishes the task as attempt 2 within heartbeat timeout + wait + 2 s', async () => {
  const first = await startWorkerProcess();
  const id = await submitAndReach('killed', { hang: 'headers' });
  expect((await holdfast.read(id)).status).toBe('running');
  await startWorkerProcess();
  const killedAt = performance.now();
  expect(await first.end('SIGKILL')).toBeNull();
  const task = await holdfast.until(id, isFinished);
  const recoverySeconds = (performance.now() - killedAt) / 1_000;
  expect(task).toMatchObject({
    status: 'completed',
    attempt: 2,
    lastFailure: { type: 'TemporalTimeout:Heartbeat' },
  });
  expect(recoverySeconds).toBeLessThan(heartbeatTimeout + baseDelay + 2);
  expect(holdfast.jokes.ledger({ taskKey: id }).map(({ attempt }) => attempt)).toEqual([1, 2]);
});

test('a malformed signal is named in the log', async () => {
  const worker = await startWorkerProcess();
  holdfast.jokes.rules.add({ when: { category: 'signal' }, then: [{ delayMs: 2_000 }] });
  const batches = withBatches(holdfast);
  const { id } = await batches.submit({ items: [{ category: 'signal' }] });
  await holdfast.client.workflow.getHandle(id).signal('progress', 'malformed');
  const output = await worker.waitForOutput('Ignored a malformed signal');
  const line = output.split('\n').find((text) => text.includes('Ignored a malformed signal')) ?? '';
  expect(JSON.parse(line)).toMatchObject({
    level: 40,
    workflowId: id,
    msg: 'Ignored a malformed signal: progress',
  });
  expect(await batches.untilEnded(id)).toMatchObject({ status: 'completed', completed: 1 });
});

test('a stopping worker lets the running attempt end within its grace period, and takes no new task', async () => {
  const worker = await startWorkerProcess();
  const id = await submitAndReach('graceful', { delayMs: 1_500 });
  const exit = worker.end('SIGTERM');
  await worker.waitForOutput('Worker stops (SIGTERM)');
  const late = await holdfast.submit({ category: 'dev' });
  expect(await exit).toBe(0);
  expect(holdfast.jokes.ledger({ taskKey: id })).toMatchObject([{ outcome: 'answered' }]);
  expect(await holdfast.read(late.id)).toMatchObject({ status: 'queued', attempt: 1 });
  await startWorkerProcess();
  expect(await holdfast.until(id, isFinished)).toMatchObject({ status: 'completed', attempt: 1 });
  expect(await holdfast.until(late.id, isFinished)).toMatchObject({ status: 'completed', attempt: 1 });
  expect(holdfast.jokes.ledger({ taskKey: id })).toHaveLength(1);
});

test('an attempt that outlives the grace period fails as WorkerShutdown, and another worker retries it', async () => {
  const worker = await startWorkerProcess(1);
  const id = await submitAndReach('cut', { hang: 'headers' });
  await startWorkerProcess();
  expect(await worker.end('SIGTERM')).toBe(0);
  expect(await holdfast.until(id, isFinished)).toMatchObject({
    status: 'completed',
    attempt: 2,
    lastFailure: { type: 'WorkerShutdown' },
  });
});

/** Starts a worker of a Temporal at this address, without waiting until it is ready. Returns the URL of its monitor. */
async function startWorkerOf(address: string, environment: Record<string, string> = {}) {
  const port = await findFreePort();
  const variables = { TEMPORAL_ADDRESS: address, WORKER_METRICS_ADDRESS: `127.0.0.1:${port}`, SHUTDOWN_GRACE: '1' };
  const child = startProcess('worker', { ...variables, ...environment });
  processes.push(child);
  const isReady = () =>
    fetch(`http://127.0.0.1:${port}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
  return { ...child, untilReady: () => eventually(isReady, Boolean, 60_000) };
}

async function timeEnd(child: StartedProcess) {
  const askedAt = performance.now();
  expect(await child.end('SIGTERM')).toBe(0);
  return performance.now() - askedAt;
}

// Seen to fail after 23 s, when the worker waited for the SDK's own timeouts.
test('a worker that waits for a Temporal that accepts connections and stays silent ends at once', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void silent.close());
  await once(silent, 'listening');
  const worker = await startWorkerOf(`127.0.0.1:${(silent.address() as { port: number }).port}`);
  const [socket] = await once(silent, 'connection');
  expect(await timeEnd(worker)).toBeLessThan(2_000);
  socket.destroy();
}, 60_000);

// Seen to fail after 30 s, when the SDK waited for the answer to its last call, and with the SDK's own log on stdout.
test('a worker whose Temporal has gone ends within its grace and 2 s, and logs JSON lines or nothing at all', async () => {
  const temporal = await createOwnTemporal();
  onTestFinished(() => temporal.remove());
  await temporal.start();
  const [silent, talking, stopping] = await Promise.all(
    ['silent', 'info', 'info'].map((level) => startWorkerOf(temporal.address, { LOG_LEVEL: level })),
  );
  if (!silent || !talking || !stopping) return expect.unreachable();
  for (const worker of [silent, talking, stopping]) await worker.untilReady();
  await temporal.stop();
  expect(await timeEnd(stopping)).toBeLessThan(3_000);
  await temporal.kill();
  const output = await talking.waitForOutput('gRPC call poll_activity_task_queue retried');
  for (const line of output.trim().split('\n')) expect(JSON.parse(line)).toMatchObject({ process: 'worker' });
  for (const worker of [silent, talking]) expect(await timeEnd(worker)).toBeLessThan(3_000);
  expect(silent.output()).toBe('');
}, 120_000);
