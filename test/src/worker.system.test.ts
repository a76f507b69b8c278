import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { eventually, type Holdfast, isFinished, startHoldfast } from '../support/holdfast.ts';
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
