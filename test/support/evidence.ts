import type { LedgerEntry } from '../../local/joke-api/ledger.ts';
import type { Evidence, Execution, FaultRecord, Operation } from '../../proof/chaos/types.ts';
import { policySchema } from '../../src/policy.ts';

const policy = policySchema.parse({
  initialIntervalMs: 500,
  maximumIntervalMs: 4_000,
  maximumAttempts: 3,
  startToCloseTimeoutMs: 10_000,
  heartbeatTimeoutMs: 2_000,
});

/**
 * Returns the record of a correct run, which tests then alter. It has a retried task, a task whose worker was killed, a
 * cancelled task, a failed task and a batch.
 */
export function createEvidence(): Evidence {
  const operations: Operation[] = [];
  const calls: LedgerEntry[] = [];
  let op = 0;
  const operate = (
    at: number,
    tookMs: number,
    what: Pick<Operation, 'action' | 'key' | 'id'>,
    end: Partial<Operation>,
  ) => {
    op += 1;
    operations.push({ op, at, type: 'invoke', ...what });
    operations.push({ op, at: at + tookMs, type: 'ok', status: 200, ...what, ...end });
  };
  const call = (taskKey: string, attempt: number, startedAt: number, more: Partial<LedgerEntry>) =>
    calls.push({
      seq: calls.length + 1,
      taskKey,
      attempt,
      category: 'prove-plain',
      method: 'GET',
      path: '/jokes/random',
      startedAt,
      endedAt: startedAt + 50,
      status: 200,
      jokeId: null,
      outcome: 'answered',
      ...more,
    });
  const execution = (id: string, status: string, attempt: number, closedAt: number): Execution => ({
    id,
    runId: `run of ${id}`,
    type: id.includes('~') ? 'run-chunk-in-slices' : id.includes('batch') ? 'run-batch-in-slices' : 'fetch-joke',
    status,
    events: 11,
    startedAt: 1_000,
    closedAt,
    activities: id === 'batch' ? [] : [{ id: '1', attempt, end: 'completed' }],
  });
  const task = (
    id: string,
    key: string,
    end: NonNullable<Operation['seen']>,
    submissions: Partial<Operation>[] = [{}],
  ) => {
    for (const [n, submission] of submissions.entries())
      operate(
        1_000 + 20 * n,
        10,
        { action: 'submit', key },
        { id, status: 202, seen: { id, state: 'queued', attempt: 1 }, ...submission },
      );
    operate(1_500, 10, { action: 'read', id }, { seen: { id, state: 'running', attempt: 1 } });
    for (const at of [40_000, 41_000]) operate(at, 10, { action: 'read', id }, { seen: end });
  };

  // The answer to its first submission was lost. The upstream's first answer was a 503.
  task('retried', 'k-1', { id: 'retried', state: 'completed', attempt: 2, output: 'joke-1', finishedAt: '2' }, [
    { type: 'info', status: 503, id: undefined, seen: undefined } as Partial<Operation>,
    { isReplay: true },
  ]);
  operate(1_100, 10, { action: 'conflict', key: 'k-1' }, { type: 'fail', status: 422 });
  call('retried', 1, 1_050, { status: 503 });
  call('retried', 2, 1_650, { jokeId: 'joke-1' });
  // Its worker is killed at 20 s while it waits for the upstream.
  task('killed', 'k-2', { id: 'killed', state: 'completed', attempt: 2, output: 'joke-2', finishedAt: '2' });
  call('killed', 1, 19_500, { outcome: 'client-gone', endedAt: 20_020, status: null });
  call('killed', 2, 22_600, { jokeId: 'joke-2' });
  task('cancelled', 'k-3', { id: 'cancelled', state: 'cancelled', attempt: 1, finishedAt: '2' });
  operate(
    2_000,
    20,
    { action: 'cancel', id: 'cancelled' },
    { status: 202, seen: { id: 'cancelled', state: 'cancelling', attempt: 1 } },
  );
  call('cancelled', 1, 1_100, { outcome: 'client-gone', endedAt: 2_700, status: null });
  task('failed', 'k-4', { id: 'failed', state: 'failed', attempt: 3, reason: 'attempts-exhausted', finishedAt: '2' });
  for (const [index, at] of [1_050, 1_700, 2_900].entries()) call('failed', index + 1, at, { status: 503 });
  const items = [0, 1].map((index) => ({
    id: `batch/${index}`,
    state: 'completed',
    attempt: 1,
    output: `joke-b${index}`,
  }));
  const counts = { total: 2, completed: 2, failed: 0, cancelled: 0, running: 0 };
  operate(1_000, 10, { action: 'submit-batch', key: 'k-5' }, { id: 'batch', status: 202 });
  for (const at of [40_000, 41_000])
    operate(
      at,
      10,
      { action: 'read-batch', id: 'batch' },
      {
        seen: { id: 'batch', state: 'completed', attempt: 0, finishedAt: '2', counts, items },
      },
    );
  for (const index of [0, 1]) call(`batch/${index}`, 1, 1_200, { jokeId: `joke-b${index}` });

  const kill: FaultRecord = {
    number: 1,
    kind: 'kill-worker',
    pick: 0,
    durationMs: 0,
    pauseMs: 0,
    target: 'worker-1',
    startedAt: 20_000,
    endedAt: 21_000,
    verified: true,
    seen: 'pid 1 is gone',
  };
  return {
    seed: 1,
    startedAt: 0,
    submissions: [1, 2, 3, 4, 5].map((n) => ({ key: `k-${n}`, isBatch: n === 5, items: n === 5 ? 2 : 1 })),
    policy,
    planned: [kill],
    faults: [kill],
    operations,
    calls,
    executions: [
      execution('retried', 'COMPLETED', 2, 1_700),
      execution('killed', 'COMPLETED', 2, 22_700),
      execution('cancelled', 'CANCELLED', 1, 2_800),
      execution('failed', 'FAILED', 3, 3_000),
      execution('batch', 'COMPLETED', 0, 1_300),
      execution('batch~0', 'COMPLETED', 1, 1_290),
    ],
    logs: { lines: 100, findings: [] },
    deaths: [],
  };
}
