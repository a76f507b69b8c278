import { afterAll, beforeAll, expect, test } from 'vitest';
import { toCallsByTask } from '../../../proof/system/calls.ts';
import { createBatchId } from '../../../src/api/views/task-id.ts';
import { batchType } from '../../../src/contract.ts';
import { toActivityOptions } from '../../../src/policy.ts';
import { createStartWorkflow } from '../../../src/temporal/engines/start-workflow.ts';
import { toCounts, withBatches } from '../../support/batches.ts';
import { type Holdfast, startHoldfast } from '../../support/holdfast.ts';
import { type StartedProcess, startProcess } from '../../support/start-process.ts';

let holdfast: Holdfast;
const workers: StartedProcess[] = [];
beforeAll(async () => {
  holdfast = await startHoldfast({ HEARTBEAT_TIMEOUT: '4', BASE_DELAY: '1', MAX_ATTEMPTS: '4' });
});
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.end('SIGKILL')));
  await holdfast?.stop();
});

async function startWorkerProcess(): Promise<StartedProcess> {
  const { temporal, taskQueue, upstreamUrl } = holdfast.config;
  const environment = { TEMPORAL_ADDRESS: temporal.address, TASK_QUEUE: taskQueue, API_BASE_URL: upstreamUrl };
  const worker = startProcess('worker', environment);
  workers.push(worker);
  await worker.waitForOutput('Worker ready');
  return worker;
}

/** Each twentieth item has one of these endings. All other items succeed at once. */
const endings: Record<number, { then: object[]; status: string; attempts: number }> = {
  3: { then: [{ status: 503 }, { status: 503 }, {}], status: 'completed', attempts: 3 },
  7: { then: [{ status: 404 }], status: 'failed', attempts: 1 },
  11: { then: [{ status: 500 }], status: 'failed', attempts: 4 },
  15: { then: [{ status: 429, retryAfter: '10' }, {}], status: 'completed', attempts: 2 },
  19: { then: [{ delayMs: 4_000 }], status: 'completed', attempts: 1 },
};
const ordinary = { then: [{ delayMs: 100 }], status: 'completed', attempts: 1 };
const toEnding = (index: number) => endings[index % 20] ?? ordinary;

// Builds up to 0.3 start batches like this one. docs/architecture.md says what was tried with such a build itself.
test('a batch that an API up to 0.3 started ends as it should, although its worker is killed', async () => {
  const items = Array.from({ length: 300 }, (_, index) => ({ category: `ending ${index % 20}` }));
  for (const [n, { category }] of items.slice(0, 20).entries())
    holdfast.jokes.rules.add({ when: { category }, then: toEnding(n).then, repeat: true });
  const { client, config } = holdfast;
  const id = createBatchId('local', 'fetch-joke');
  const chunkSizes = [100, 100, 100];
  const common = { name: 'fetch-joke' as const, jitter: 0, options: toActivityOptions(config.policy) };
  const startWorkflow = createStartWorkflow(client, config);
  await startWorkflow({
    id,
    type: batchType,
    priority: { priorityKey: 5 },
    args: [{ ...common, inputs: items, chunkSizes, maximumInFlight: 400 }],
    memo: { chunkSizes, submittedAt: new Date().toISOString() },
  });
  const batches = withBatches(holdfast);
  const first = await startWorkerProcess();
  await batches.untilCounts(id, ({ completed }) => completed >= 100);
  await first.end('SIGKILL');
  await startWorkerProcess();
  const batch = await batches.untilEnded(id, 120_000);

  expect(batch).toMatchObject({ status: 'completed', total: 300, completed: 270, failed: 30, running: 0 });
  expect(toCounts(batch.items ?? [])).toEqual({ completed: 270, failed: 30, cancelled: 0 });
  const calls = toCallsByTask(holdfast.jokes.ledger());
  expect(new Set(calls.keys())).toEqual(new Set(items.map((_, index) => `${id}/${index}`)));
  for (const { index, status, attempts, output } of batch.items ?? []) {
    const ofItem = calls.get(`${id}/${index}`) ?? [];
    const expected = toEnding(index);
    expect(status).toBe(expected.status);
    // An attempt that was lost with the worker counts. Its call may be missing from the ledger.
    expect([expected.attempts, Math.min(4, expected.attempts + 1)]).toContain(attempts);
    const numbers = ofItem.map(({ attempt }) => attempt ?? 0);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    expect(numbers.at(-1)).toBe(attempts);
    expect(ofItem.at(-1)?.jokeId ?? undefined).toBe(output?.id);
  }
  expect(workers.map((worker) => worker.output()).join('')).not.toMatch(/nondeterminis|TMPRL1100/i);
}, 200_000);
