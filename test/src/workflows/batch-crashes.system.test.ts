import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { LedgerEntry } from '../../../local/joke-api/ledger.ts';
import { readExecution } from '../../../proof/chaos/judge/executions.ts';
import { countLostSlices } from '../../../proof/chaos/judge/join.ts';
import { toCallsByTask } from '../../../proof/system/calls.ts';
import { type BatchMemo, slicedChunkType, toChunkId } from '../../../src/contract.ts';
import { toCounts, withBatches } from '../../support/batches.ts';
import { type Holdfast, startHoldfast } from '../../support/holdfast.ts';
import { type StartedProcess, startProcess } from '../../support/start-process.ts';

const heartbeatTimeout = '3';
const killEveryMs = 2_000;
/** On a busy machine, a worker that is killed every 2 s until the end gets hardly any work done. */
const maximumKills = 20;
/** After a kill, this process, which keeps the ledger, may record the last calls of that worker late. */
const marginMs = 500;
/** A call's result reaches the server some time after the call's end, because a slice reports after about a second. */
const reportMs = 1_500;

const root = fileURLToPath(new URL('../../..', import.meta.url));
/** The workers' code beside a finished workflow bundle, as in `dist/`. Without it every start would bundle again. */
const built = mkdtempSync(join(tmpdir(), 'holdfast-built-'));

let holdfast: Holdfast;
const processes: StartedProcess[] = [];

beforeAll(async () => {
  for (const name of ['src', 'package.json', 'tsconfig.json'])
    cpSync(join(root, name), join(built, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(built, 'node_modules'));
  cpSync(inject('workflowBundle'), join(built, 'src/workflow-bundle.js'));
  holdfast = await startHoldfast({ HEARTBEAT_TIMEOUT: heartbeatTimeout, BASE_DELAY: '0.5', MAX_ATTEMPTS: '10' });
});
afterAll(async () => {
  await Promise.all(processes.map((child) => child.end('SIGKILL')));
  await holdfast?.stop();
  rmSync(built, { recursive: true, force: true });
});

function startWorkerProcess(): StartedProcess {
  const { config } = holdfast;
  const environment = {
    TEMPORAL_ADDRESS: config.temporal.address,
    TASK_QUEUE: config.taskQueue,
    API_BASE_URL: config.upstreamUrl,
  };
  const child = startProcess('worker', environment, built);
  processes.push(child);
  return child;
}

/**
 * Kills the oldest ready worker every 2 s and starts another one. Returns the times of the kills when `work` is done.
 * It kills only if the upstream has had a call since the last kill, so workers get through with their workflow tasks.
 */
async function killWorkersUntilDone<T>(work: Promise<T>): Promise<{ result: T; kills: number[] }> {
  const kills: number[] = [];
  let isDone = false;
  let lastCalls = 0;
  const done = work.finally(() => {
    isDone = true;
  });
  while (kills.length < maximumKills) {
    await Promise.race([done, sleep(killEveryMs)]);
    if (isDone) break;
    // A worker that is still starting has no attempt to lose, and would never get any work done.
    const oldest = processes.findIndex((child) => child.output().includes('Worker ready'));
    const calls = holdfast.jokes.ledger().length;
    if (oldest === -1 || calls === lastCalls) continue;
    lastCalls = calls;
    startWorkerProcess();
    const [child] = processes.splice(oldest, 1);
    kills.push(Date.now());
    await child?.end('SIGKILL');
  }
  return { result: await done, kills };
}

/** Returns whether the call was under way when a worker was killed, or had ended too recently to be reported. */
const isExplained = ({ startedAt, endedAt }: LedgerEntry, kills: number[]) =>
  kills.some((kill) => startedAt - marginMs <= kill && kill <= (endedAt ?? startedAt) + reportMs + marginMs);

// Seen to fail with heartbeats switched off, and when a slice forgot an outcome. The explanations failed with one kill
// missing from the list.
test('with a worker killed every 2 s, 20 times, all items of a batch of 2,000 end once, and a kill explains each extra call', async () => {
  const category = 'crashes';
  holdfast.jokes.rules.add({ when: { category }, then: [{ delayMs: 100 }], repeat: true });
  const batches = withBatches(holdfast);
  for (const child of [startWorkerProcess(), startWorkerProcess(), startWorkerProcess()])
    await child.waitForOutput('Worker ready');
  const { id } = await batches.submit({ count: 2_000, input: { category } });
  const { kills } = await killWorkersUntilDone(batches.untilEnded(id, 220_000));
  expect(kills.length).toBeGreaterThanOrEqual(5);

  const batch = await batches.read(id);
  expect(batch).toMatchObject({ status: 'completed', total: 2_000, completed: 2_000, failed: 0, running: 0 });
  const items = await batches.readAll(id);
  expect(items.map(({ index }) => index)).toEqual(Array.from({ length: 2_000 }, (_, index) => index));
  expect(toCounts(items)).toEqual({ completed: 2_000, failed: 0, cancelled: 0 });

  const calls = toCallsByTask(holdfast.jokes.ledger({ category }));
  expect(calls.size).toBe(2_000);
  // The items of a lost slice are attempted again as the same attempt, at most twice.
  const { memo } = await holdfast.client.workflow.getHandle(id).describe();
  const chunks = (memo as BatchMemo).chunkSizes.map((_, number) =>
    readExecution(holdfast.client, toChunkId(id, number), '', slicedChunkType),
  );
  const losses = countLostSlices(await Promise.all(chunks));
  expect(losses.size).toBeGreaterThan(0);
  const unexplained: object[] = [];
  for (const { index, attempts, output } of items) {
    const ofItem = calls.get(`${id}/${index}`) ?? [];
    expect(ofItem.at(-1)?.jokeId).toBe(output?.id);
    expect(ofItem.length).toBeLessThanOrEqual(attempts + Math.min(2, losses.get(`${id}/${index}`) ?? 0));
    for (const call of ofItem.slice(0, -1))
      if (!isExplained(call, kills)) unexplained.push({ ...call, index, attempts });
  }
  expect(unexplained, `kills at ${kills.join(', ')}`).toEqual([]);
}, 280_000);
