import { expect, test } from 'vitest';
import { invariants } from '../../../proof/chaos/judge/invariants/index.ts';
import { toMeaning, toResult } from '../../../proof/chaos/judge/to-result.ts';
import type { Evidence, FaultKind, Operation } from '../../../proof/chaos/types.ts';
import { createEvidence } from '../../support/evidence.ts';

const judge = (evidence: Evidence) => toResult(evidence, { command: 'npm run prove', seconds: 1 });
const toBroken = (evidence: Evidence) =>
  judge(evidence)
    .invariants.filter(({ violated }) => violated > 0)
    .map(({ name }) => name);

/** These return the record with an id, which a test then changes. */
const call = ({ calls }: Evidence, key: string, attempt: number) => {
  const found = calls.find((one) => one.taskKey === key && one.attempt === attempt);
  if (!found) throw new Error(`no call of ${key}, attempt ${attempt}`);
  return found;
};
const execution = ({ executions }: Evidence, id: string) => {
  const found = executions.find((one) => one.id === id);
  if (!found) throw new Error(`no execution ${id}`);
  return found;
};
const ends = ({ operations }: Evidence, action: string, id: string) =>
  operations.filter((one) => one.type !== 'invoke' && one.action === action && (one.id === id || one.key === id));
const last = <T>(list: T[]): T => list.at(-1) as T;

test('a correct run passes: every invariant has cases, and none is broken', () => {
  const { verdict, invariants: results, guards, recovery } = judge(createEvidence());
  expect(results.filter(({ violated, checked }) => violated > 0 || checked === 0)).toEqual([]);
  expect(guards.filter(({ holds }) => !holds)).toEqual([]);
  expect(verdict).toBe('passed');
  expect(recovery.values).toEqual([2_100]);
});

/** Changes to the records, each with the invariant that must report it. */
const bends: [invariant: string, what: string, bend: (evidence: Evidence) => void][] = [
  [
    'accepted-never-lost',
    'an accepted task is not in Temporal',
    (e) => {
      e.executions = e.executions.filter(({ id }) => id !== 'retried');
    },
  ],
  [
    'accepted-never-lost',
    'an accepted task has no end',
    (e) => {
      for (const end of ends(e, 'read', 'killed')) end.seen = { id: 'killed', state: 'running', attempt: 1 };
    },
  ],
  [
    'no-phantom',
    'a workflow that no client submitted',
    (e) => e.executions.push({ ...execution(e, 'retried'), id: 'ghost' }),
  ],
  ['no-phantom', 'an upstream call of no task', (e) => e.calls.push({ ...call(e, 'retried', 2), taskKey: 'ghost' })],
  [
    'one-task-per-key',
    'a key that became two tasks',
    (e) => {
      const again = { ...last(ends(e, 'submit', 'k-2')), op: 901, id: 'retried', isReplay: true };
      e.operations.push(again);
    },
  ],
  [
    'one-task-per-key',
    'two answers that both call themselves the first',
    (e) => {
      e.operations.push({ ...last(ends(e, 'submit', 'k-2')), op: 902 });
    },
  ],
  [
    'one-task-per-key',
    'another body under the key is accepted',
    (e) => {
      Object.assign(last(ends(e, 'conflict', 'k-1')), { type: 'ok', status: 202, id: 'retried' });
    },
  ],
  [
    'unknown-converges',
    'a submission of unknown outcome is never accepted',
    (e) => {
      e.operations.push({ op: 903, at: 5_000, type: 'info', action: 'submit', key: 'k-9', error: 'ECONNRESET' });
    },
  ],
  [
    'read-your-write',
    'a read after the acceptance is a 404',
    (e) => {
      const end = ends(e, 'read', 'killed')[0];
      Object.assign(end ?? {}, { type: 'fail', status: 404, seen: undefined });
    },
  ],
  [
    'forward-only',
    'a later read shows an earlier attempt',
    (e) => {
      const [first, ...others] = ends(e, 'read', 'retried');
      Object.assign(first ?? {}, {
        seen: { id: 'retried', state: 'completed', attempt: 2, output: 'joke-1', finishedAt: '2' },
      });
      Object.assign(others[0] ?? {}, { seen: { id: 'retried', state: 'running', attempt: 1 } });
    },
  ],
  [
    'end-never-changes',
    'a result changes after the end',
    (e) => {
      const end = ends(e, 'read', 'retried')[1];
      if (end?.seen) end.seen = { ...end.seen, finishedAt: '3' };
    },
  ],
  [
    'same-end-in-temporal',
    'clients see another end than the history has',
    (e) => {
      execution(e, 'retried').status = 'FAILED';
    },
  ],
  [
    'own-result',
    'a result that the upstream gave to another task',
    (e) => {
      call(e, 'retried', 2).jokeId = 'joke-2';
    },
  ],
  [
    'failed-for-a-reason',
    'exhausted before the last attempt',
    (e) => {
      execution(e, 'failed').activities = [{ id: '1', attempt: 2, end: 'failed' }];
      for (const end of ends(e, 'read', 'failed')) if (end.seen?.reason) end.seen = { ...end.seen, attempt: 2 };
    },
  ],
  [
    'batch-counts',
    'counts that do not match the items',
    (e) => {
      for (const end of ends(e, 'read-batch', 'batch'))
        if (end.seen?.counts) end.seen = { ...end.seen, counts: { ...end.seen.counts, completed: 1, failed: 1 } };
    },
  ],
  [
    'attempts-bounded',
    'an attempt beyond the maximum',
    (e) => {
      e.calls.push({ ...call(e, 'failed', 3), attempt: 4, startedAt: 5_000, endedAt: 5_050 });
    },
  ],
  [
    'attempts-bounded',
    'an attempt that calls twice',
    (e) => {
      call(e, 'failed', 3).attempt = 2;
    },
  ],
  [
    'gaps-follow-policy',
    'a wait that is too short',
    (e) => {
      call(e, 'failed', 2).startedAt = 1_400;
    },
  ],
  [
    'gaps-follow-policy',
    'an early attempt, because a restarted Temporal repeated a dispatch',
    (e) => {
      e.faults.push({ ...last(e.faults), kind: 'kill-temporal', startedAt: 1_100, endedAt: 1_350 });
      call(e, 'failed', 2).startedAt = 1_400;
    },
  ],
  [
    'gaps-follow-policy',
    'a wait that is far too long',
    (e) => {
      call(e, 'retried', 2).startedAt = 9_000;
    },
  ],
  [
    'gaps-follow-policy',
    'Retry-After is ignored',
    (e) => {
      Object.assign(call(e, 'retried', 1), { status: 429, category: 'prove-limited' });
    },
  ],
  [
    'extra-calls-explained',
    'an attempt follows a good answer, and no fault was near',
    (e) => {
      Object.assign(call(e, 'retried', 1), { status: 200, jokeId: 'joke-1' });
    },
  ],
  [
    'cancel-stops-calls',
    'the upstream is called long after a confirmed cancellation',
    (e) => {
      e.calls.push({
        ...call(e, 'retried', 2),
        taskKey: 'cancelled',
        attempt: 2,
        startedAt: 9_000,
        endedAt: 9_050,
        status: 503,
      });
    },
  ],
  [
    'cancel-stops-calls',
    'a task with a confirmed cancellation ends as completed',
    (e) => {
      execution(e, 'cancelled').status = 'COMPLETED';
      for (const end of ends(e, 'read', 'cancelled'))
        if (end.seen?.finishedAt) end.seen = { ...end.seen, state: 'completed', output: 'joke-3' };
      Object.assign(call(e, 'cancelled', 1), { outcome: 'answered', status: 200, jokeId: 'joke-3' });
    },
  ],
  [
    'recovery',
    'the attempt of a killed worker is repeated too late',
    (e) => {
      call(e, 'killed', 2).startedAt = 25_000;
    },
  ],
  [
    'ended-in-time',
    'something ends minutes after the last heal',
    (e) => {
      execution(e, 'killed').closedAt = 90_000;
    },
  ],
  ['clean-processes', 'a process ended by itself', (e) => e.deaths.push('worker-1 (pid 7) ended by itself')],
  [
    'clean-processes',
    'a log contains a panic',
    (e) => e.logs.findings.push({ file: 'temporal.1.log', line: 'panic: nil' }),
  ],
];

test.each(bends)('%s reports this: %s', (invariant, _, bend) => {
  const evidence = createEvidence();
  bend(evidence);
  expect(toBroken(evidence)).toContain(invariant);
  const { verdict, invariants: results } = judge(evidence);
  expect(verdict).toBe('failed');
  const violation = results.find(({ name }) => name === invariant)?.violations[0];
  expect(violation?.text).not.toBe('');
});

/** Returns a run in which `count` tasks were called by the killed worker. `late` of them were repeated too late. */
function createKilled(count: number, late: number): Evidence {
  const evidence = createEvidence();
  const { operations, calls } = createEvidence();
  for (let n = 1; n < count; n += 1) {
    const rename = (text: string | undefined) => (text === 'killed' || text === 'k-2' ? `${text}-${n}` : text);
    for (const one of operations.filter(({ key, id }) => key === 'k-2' || id === 'killed'))
      evidence.operations.push({
        ...one,
        op: 1_000 * n + one.op,
        key: rename(one.key),
        id: rename(one.id),
      } as Operation);
    for (const one of calls.filter(({ taskKey }) => taskKey === 'killed'))
      evidence.calls.push({ ...one, taskKey: `killed-${n}` });
  }
  for (let n = 0; n < late; n += 1) call(evidence, n === 0 ? 'killed' : `killed-${n}`, 2).startedAt = 25_000;
  return evidence;
}

test.each([
  [5, 1, 1],
  [6, 1, 0],
  [6, 2, 2],
])(
  'of %i recoveries, %i late ones are %i violations: a few late ones do not refute a 99th percentile',
  (...numbers) => {
    const [count, late, violated] = numbers;
    const { invariants: results, recovery } = judge(createKilled(count, late));
    expect(recovery.values).toHaveLength(count);
    expect(results.find(({ name }) => name === 'recovery')).toMatchObject({ checked: count, violated });
  },
);

/** Returns a run in which an attempt repeated its call, each time after 50 ms. A fault was near the first call. */
function createRepeated(kind: FaultKind, repetitions: number, id = 'retried'): Evidence {
  const evidence = createEvidence();
  const lost = call(evidence, id, 1);
  for (let nth = 1; nth <= repetitions; nth += 1) {
    const startedAt = lost.startedAt + 50 * nth;
    evidence.calls.push({ ...lost, seq: 900 + nth, startedAt, endedAt: startedAt + 10 });
  }
  Object.assign(lost, { outcome: 'client-gone', status: null, endedAt: lost.startedAt + 40 });
  evidence.faults.push({
    ...last(evidence.faults),
    kind,
    startedAt: lost.startedAt + 20,
    endedAt: lost.startedAt + 30,
  });
  return evidence;
}

test.each(['cut-upstream', 'drop-upstream'] as const)('after %s an attempt may call the upstream once more', (kind) => {
  expect(toBroken(createRepeated(kind, 1))).toEqual([]);
});

test.each([
  ['kill-worker', 1],
  ['delay-upstream', 1],
  ['cut-upstream', 2],
] as const)('after %s an attempt may not call the upstream %i more times', (kind, repetitions) => {
  expect(toBroken(createRepeated(kind, repetitions))).toEqual(['attempts-bounded']);
});

test.each([
  [1, 1, []],
  [2, 2, []],
  [2, 1, ['attempts-bounded']],
  [1, 0, ['attempts-bounded']],
  [3, 3, ['attempts-bounded']],
])('with %i more first calls, an item whose slices were lost %i times breaks %j', (repetitions, losses, broken) => {
  const evidence = createRepeated('kill-worker', repetitions, 'batch/0');
  const chunk = evidence.executions.find(({ id }) => id === 'batch~0');
  for (let n = 0; n < losses; n += 1)
    chunk?.activities.push({ id: `slice-${n}`, attempt: 1, end: 'timed-out', items: [0, 1] });
  expect(toBroken(evidence)).toEqual(broken);
});

/** Returns a run in which item 0 of the batch is `retrying`, attempt 5, and later `running`, attempt `attempt`. */
function createFallen(attempt: number, fault: FaultKind): Evidence {
  const evidence = createEvidence();
  const [end] = ends(evidence, 'read-batch', 'batch');
  const show = (at: number, state: string, attempt: number) => {
    const items = end?.seen?.items?.map((item, n) => (n === 0 ? { id: item.id, state, attempt } : item)) ?? [];
    const counts = { total: 2, completed: 1, failed: 0, cancelled: 0, running: 1 };
    const what = { op: at, action: 'read-batch', id: 'batch' } as const;
    const seen = { id: 'batch', state: 'running', attempt: 0, counts, items };
    evidence.operations.push({ ...what, at, type: 'invoke' }, { ...what, at: at + 10, type: 'ok', status: 200, seen });
  };
  show(30_000, 'retrying', 5);
  show(31_000, 'running', attempt);
  evidence.faults.push({ ...last(evidence.faults), kind: fault, startedAt: 29_000, endedAt: 29_500 });
  return evidence;
}

test.each([
  [1, 'kill-worker', []],
  [2, 'kill-worker', []],
  [3, 'kill-worker', ['forward-only']],
  [2, 'kill-api', ['forward-only']],
] as const)('an item that falls back from attempt 5 to %i after %s breaks %j', (attempt, fault, broken) => {
  expect(toBroken(createFallen(attempt, fault))).toEqual(broken);
});

test('for every invariant, one of these changes breaks it', () => {
  expect([...new Set(bends.map(([invariant]) => invariant))].sort()).toEqual(invariants.map(({ name }) => name).sort());
});

test('a violation comes with the timeline of its task from all three records and the faults at that time', () => {
  const evidence = createEvidence();
  call(evidence, 'killed', 2).startedAt = 25_000;
  const { invariants: results } = judge(evidence);
  const violation = results.find(({ name }) => name === 'recovery')?.violations[0];
  expect(violation?.id).toBe('killed');
  expect(new Set(violation?.story.map(({ from }) => from))).toEqual(
    new Set(['client', 'upstream', 'temporal', 'fault']),
  );
  const times = violation?.story.map(({ at }) => at) ?? [];
  expect(times).toEqual([...times].sort((a, b) => a - b));
});

test('a run in which too little happened is unknown, not passed', () => {
  const few = createEvidence();
  few.submissions = Array.from({ length: 20 }, (_, n) => ({
    key: `k-${n + 1}`,
    isBatch: n === 4,
    items: n === 4 ? 2 : 1,
  }));
  expect(judge(few).verdict).toBe('unknown');

  const unverified = createEvidence();
  unverified.planned = [...unverified.planned, { number: 2, kind: 'kill-api', pick: 0, durationMs: 0, pauseMs: 0 }];
  expect(judge(unverified)).toMatchObject({ verdict: 'unknown' });

  const idle = createEvidence();
  idle.operations = idle.operations.filter(({ action }) => action !== 'cancel');
  expect(judge(idle).guards.at(-1)).toMatchObject({
    holds: false,
    detail: expect.stringContaining('cancel-stops-calls'),
  });
});

test('the meaning of zero violations follows the rule of three', () => {
  expect(toMeaning(0, 3_000)).toBe('0 of 3,000: below 0.10 % at 95 % confidence');
  expect(toMeaning(0, 2)).toBe('0 of 2: below 100 % at 95 % confidence');
  expect(toMeaning(0, 0)).toBe('nothing to look at');
  expect(toMeaning(2, 3_000)).toBe('2 of 3,000');
});
