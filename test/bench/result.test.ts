import { expect, test } from 'vitest';
import type { Contender } from '../../bench/contender.ts';
import { toGoals } from '../../bench/goals.ts';
import { measureRound, type Round, toSizes } from '../../bench/measure.ts';
import { toRow, toSpread } from '../../bench/result.ts';
import { toText } from '../../bench/to-text.ts';

const toRound = (submissionRate: number, completionRate: number): Round => ({
  submissionRate,
  completionRate,
  submissionLatenciesMs: [1, 2, 3],
  cpuSecondsPer1000: 5,
  memoryMiB: 100,
});
const row = (name: string, rounds: Round[]) => toRow({ name, versions: ['1.0'], storage: 'a disk' }, rounds);

test('a spread has the middle of its values, of an even number the mean of the two in the middle', () => {
  expect(toSpread([5, 1, 3])).toEqual({ median: 3, min: 1, max: 5 });
  expect(toSpread([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4 });
});

// Seen to fail with the ratio of the medians.
test('a goal is the median of the ratios round by round, not the ratio of the medians', () => {
  const rows = [
    row('Holdfast, single tasks', [toRound(90, 50), toRound(10, 10), toRound(10, 30)]),
    row('bare Temporal', [toRound(100, 50), toRound(10, 20), toRound(5, 10)]),
  ];
  const [submissions, completions, origin] = toGoals(rows);
  expect(submissions).toMatchObject({ ratio: { median: 1, min: 0.9, max: 2 }, met: true });
  expect(completions).toMatchObject({ ratio: { median: 1, min: 0.5, max: 3 }, met: true });
  expect(origin).toEqual({ what: 'single completions / FastAPI + Procrastinate', goal: '≥ 2' });
});

test('a ratio below its goal is not met, and says so', () => {
  const rows = [row('Holdfast, single tasks', [toRound(94, 50)]), row('bare Temporal', [toRound(100, 50)])];
  expect(toGoals(rows)[0]).toMatchObject({ ratio: { median: 0.94 }, met: false });
  const result = {
    startedAt: '',
    seconds: 1,
    machine: 'a machine',
    rounds: 1,
    rows,
    skipped: [],
    goals: toGoals(rows),
  };
  expect(toText(result)).toMatch(/single submissions \/ bare Temporal +\| ≥ 0.95 \| 0.94 \(0.94–0.94\) \| not met/);
  expect(toText({ ...result, skipped: [{ name: 'BullMQ', reason: 'no Redis' }] })).toContain(
    'SKIPPED: BullMQ: no Redis',
  );
});

test('a round has as many tasks as take about the time, within bounds, and no larger backlog than completions', () => {
  expect(toSizes(toRound(400, 50), {}, 6)).toEqual({ submissions: 300, completions: 300 });
  expect(toSizes(toRound(400, 50), { leavesNoBacklog: true }, 6)).toEqual({ submissions: 2_400, completions: 300 });
  expect(toSizes(toRound(1, 1), {}, 6)).toEqual({ submissions: 200, completions: 200 });
  expect(toSizes(toRound(1e6, 1e6), {}, 6)).toEqual({ submissions: 10_000, completions: 10_000 });
});

/** Completes ten tasks a look while its worker runs. */
function createFake() {
  let [waiting, completed, isRunning] = [0, 0, true];
  const seen: string[] = [];
  const contender: Contender = {
    name: 'fake',
    versions: [],
    storage: '',
    async submit(count) {
      seen.push(`${count} submitted ${isRunning ? 'beside' : 'without'} the worker`);
      waiting += count;
      return { seconds: 0.5, latenciesMs: Array(count).fill(1) };
    },
    async completed() {
      const done = isRunning ? Math.min(10, waiting) : 0;
      waiting -= done;
      completed += done;
      return completed;
    },
    pauseWorker: async () => {
      isRunning = false;
    },
    resumeWorker: async () => {
      isRunning = true;
    },
    pids: () => [process.pid],
    stop: async () => {},
  };
  return { contender, seen, left: () => waiting };
}

// Seen to fail without the wait for the backlog: its tasks counted as the second half's.
test('submissions are measured without the worker, and completions only when that backlog is done', async () => {
  const { contender, seen, left } = createFake();
  const round = await measureRound(contender, { submissions: 40, completions: 20 }, new AbortController().signal);
  expect(seen).toEqual(['40 submitted without the worker', '20 submitted beside the worker']);
  expect(left()).toBe(0);
  expect(round.submissionRate).toBe(80);
  expect(round.submissionLatenciesMs).toHaveLength(40);
  expect(round.memoryMiB).toBeGreaterThan(10);
});
