import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually, type Holdfast, isFinished, startHoldfast } from '../support/holdfast.ts';
import { type StartedProcess, startProcess } from '../support/start-process.ts';

let holdfast: Holdfast;
let processes: StartedProcess[] = [];

beforeEach(async () => {
  holdfast = await startHoldfast({ HEARTBEAT_TIMEOUT: '2', BASE_DELAY: '0.2', MAX_DELAY: '0.2', MAX_ATTEMPTS: '3' });
});
afterEach(async () => {
  await Promise.all(processes.map((child) => child.end('SIGKILL')));
  processes = [];
  await holdfast.stop();
});

async function startWorkerProcess() {
  const { config } = holdfast;
  const child = startProcess('worker', {
    TEMPORAL_ADDRESS: config.temporal.address,
    TASK_QUEUE: config.taskQueue,
    API_BASE_URL: config.upstreamUrl,
  });
  processes.push(child);
  await child.waitForOutput('Worker ready');
  return child;
}

/** Returns how many attempts the worker has counted as lost. */
async function readLost(worker: StartedProcess): Promise<number> {
  const [url = ''] = /http:\/\/\S+\/metrics/.exec(worker.output().replaceAll('"', ' ')) ?? [];
  const page = await (await fetch(url)).text();
  return Number(/^holdfast_attempts_total\{.*outcome="lost".*\} (\d+)$/m.exec(page)?.[1] ?? 0);
}

const toCalls = (id: string) => holdfast.jokes.ledger({ taskKey: id }).map(({ attempt }) => attempt);

// Seen to fail with the SDK's default of ten open polls, and without the question to the server. When the frozen worker
// continued, it made the calls of attempts that other attempts had replaced: three calls of one task at once.
test('a frozen worker that was idle costs one attempt in all, and makes no call for it when it continues', async () => {
  const frozen = await startWorkerProcess();
  await startWorkerProcess();
  process.kill(frozen.pid, 'SIGSTOP');
  const submitted = await Promise.all(Array.from({ length: 20 }, () => holdfast.submit()));
  const tasks = await Promise.all(submitted.map(({ id }) => holdfast.until(id, isFinished, 60_000)));
  const lost = tasks.filter(({ attempt }) => attempt === 2);
  expect(tasks.filter(({ status, attempt }) => status !== 'completed' || attempt > 2)).toEqual([]);
  expect(lost).toHaveLength(1);

  process.kill(frozen.pid, 'SIGCONT');
  await eventually(
    () => readLost(frozen),
    (count) => count >= lost.length,
  );
  expect(tasks.map(({ id }) => toCalls(id))).toEqual(tasks.map(({ attempt }) => [attempt]));
  expect(await readLost(frozen)).toBe(lost.length);
  await frozen.waitForOutput(`Job ${lost[0]?.id}: given up by the server before its call on attempt 1`);
}, 120_000);

test('a worker that continues makes the call of an attempt that still counts, and works on new tasks', async () => {
  const worker = await startWorkerProcess();
  process.kill(worker.pid, 'SIGSTOP');
  const first = await holdfast.submit();
  // Longer than half the heartbeat timeout.
  await sleep(1_500);
  process.kill(worker.pid, 'SIGCONT');
  for (const { id } of [first, await holdfast.submit()])
    expect(await holdfast.until(id, isFinished)).toMatchObject({ status: 'completed', attempt: 1 });
}, 120_000);
