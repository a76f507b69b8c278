import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Problem } from '../../../../src/api/problems/problem.ts';
import type { Task } from '../../../../src/api/views/schemas.ts';
import { createWatcher, type WatchedTasks } from '../../../../src/api/watch/watch.ts';
import { TemporalUnavailable } from '../../../../src/temporal/errors.ts';

// These tests are about time, so they use fake timers and never wait.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const toTask = (change: Partial<Task> = {}): Task => ({
  id: 'task',
  name: 'fetch-joke',
  input: {},
  status: 'queued',
  attempt: 1,
  maxAttempts: 5,
  submittedAt: '2026-11-24T00:00:00.000Z',
  links: { self: '/tasks/task' },
  ...change,
});

/** Returns tasks whose end no long poll finds. */
const toWatched = (read: WatchedTasks['read']): WatchedTasks => ({
  read,
  readEnded: read,
  awaitEnd: () => new Promise(() => {}),
});

/** Creates a watcher whose reads return `now`. `reads` has the time of every read, in ms from the start. */
function createStage(stopping?: AbortSignal) {
  const start = performance.now();
  const stage = { now: (id: string): Task => toTask({ id }), reads: [] as number[] };
  const readTask = async (id: string) => {
    stage.reads.push(Math.round(performance.now() - start));
    return stage.now(id);
  };
  const { watch } = createWatcher({ tasks: toWatched((_, id) => readTask(id)), config: { apiKeys: [] }, stopping });
  return { stage, watch: (task: Task) => watch('local', task) };
}

// Seen to fail when the wait was not doubled, and when it was doubled without a limit.
test('a task that does not change is read after 0.25 s, then less and less often, but at least every 5 s', async () => {
  const { stage, watch } = createStage();
  const states = watch(toTask());
  await vi.advanceTimersByTimeAsync(18_000);
  expect(stage.reads).toEqual([250, 750, 1_750, 3_750, 7_750, 12_750, 17_750]);
  states.close();
});

// Seen to fail when a change did not reset the wait, and when a new watch did not.
test('a change or a new watch resets the time between reads to 0.25 s', async () => {
  const { stage, watch } = createStage();
  const states = watch(toTask());
  await vi.advanceTimersByTimeAsync(4_000);
  stage.now = () => toTask({ status: 'running' });
  await vi.advanceTimersByTimeAsync(4_600);
  expect(stage.reads).toEqual([250, 750, 1_750, 3_750, 7_750, 8_000, 8_500]);
  expect(await states.next(0)).toMatchObject({ status: 'running' });

  await vi.advanceTimersByTimeAsync(5_000);
  stage.reads.length = 0;
  const late = watch(toTask({ status: 'running' }));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(stage.reads).toEqual([13_850, 14_350]);
  states.close();
  late.close();
});

// Seen to fail when `nextAttemptAt` was ignored.
test('a task that waits for its next attempt is read when the attempt is due', async () => {
  const { stage, watch } = createStage();
  const due = Date.now() + 6_000;
  stage.now = () =>
    Date.now() < due
      ? toTask({ status: 'retrying', attempt: 2, nextAttemptAt: new Date(due).toISOString() })
      : toTask({ status: 'running', attempt: 2 });
  const states = watch(toTask());
  await vi.advanceTimersByTimeAsync(5_999);
  expect(await states.next(0)).toMatchObject({ status: 'retrying' });
  await vi.advanceTimersByTimeAsync(1);
  expect(stage.reads.at(-1)).toBe(6_000);
  expect(await states.next(0)).toMatchObject({ status: 'running' });
  states.close();
});

// Seen to fail when such a task was read without a pause. An attempt seems overdue if this host's clock is ahead.
test('a task whose attempt seems overdue is read again soon, but not in a tight loop', async () => {
  const { stage, watch } = createStage();
  const due = Date.now() + 6_000;
  stage.now = () => toTask({ status: 'retrying', attempt: 2, nextAttemptAt: new Date(due).toISOString() });
  const states = watch(toTask());
  await vi.advanceTimersByTimeAsync(20_000);
  expect(stage.reads).toEqual([250, 500, 1_000, 2_000, 4_000, 6_000, 6_500, 7_500, 9_500, 13_500, 18_500]);
  states.close();
});

// Seen to fail when every watch had its own poller, and when the poller continued after its last watch.
test('all watches of a task share one poller, which ends with the last of them', async () => {
  const { stage, watch } = createStage();
  const crowd = Array.from({ length: 50 }, () => watch(toTask()));
  await vi.advanceTimersByTimeAsync(2_000);
  expect(stage.reads).toEqual([250, 750, 1_750]);
  stage.now = () => toTask({ status: 'running' });
  await vi.advanceTimersByTimeAsync(2_000);
  const seen = await Promise.all(crowd.map((states) => states.next(0)));
  expect(seen.map((task) => task?.status)).toEqual(crowd.map(() => 'running'));

  for (const states of crowd) states.close();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(stage.reads).toEqual([250, 750, 1_750, 3_750, 4_000]);
  expect(vi.getTimerCount()).toBe(0);
});

// Seen to fail without the throttle: 2,000 reads in the first second.
test('2,000 watched tasks share 200 reads a second in turn, and closed watches take no turn', async () => {
  const { stage, watch } = createStage();
  const seen = new Map<string, number>();
  stage.now = (id) => {
    seen.set(id, (seen.get(id) ?? 0) + 1);
    return toTask({ id });
  };
  const crowd = Array.from({ length: 2_000 }, (_, index) => watch(toTask({ id: `task-${index}` })));
  await vi.advanceTimersByTimeAsync(10_250);
  for (let second = 0.25; second < 10; second += 1) {
    const inSecond = stage.reads.filter((at) => at >= second * 1_000 && at < (second + 1) * 1_000);
    expect(inSecond.length).toBeLessThanOrEqual(200);
    expect(inSecond.length).toBeGreaterThan(190);
  }
  expect(seen.size).toBeGreaterThan(1_900);

  for (const states of crowd) states.close();
  const last = watch(toTask());
  stage.reads.length = 0;
  await vi.advanceTimersByTimeAsync(300);
  expect(stage.reads).toEqual([10_500]);
  last.close();
});

// Seen to fail after 10 s when all reads waited in one queue, and for ever when one owner's slow reads took every turn.
test("one owner's 2,000 watched tasks, however slow to read, do not delay the reads of another owner's task", async () => {
  const apiKeys = ['crowd', 'single'].map((owner) => ({ owner, secretHash: Buffer.alloc(32) }));
  const start = performance.now();
  const reads: number[] = [];
  const readTask = async (owner: string, id: string) => {
    if (owner === 'crowd') await new Promise((resolve) => setTimeout(resolve, 5_000));
    else reads.push(Math.round(performance.now() - start));
    return toTask({ id });
  };
  const { watch } = createWatcher({ tasks: toWatched(readTask), config: { apiKeys } });
  for (let index = 0; index < 2_000; index += 1) watch('crowd', toTask({ id: `task-${index}` }));
  await vi.advanceTimersByTimeAsync(10_000);
  watch('single', toTask({ id: 'single' }));
  await vi.advanceTimersByTimeAsync(4_000);
  expect(reads).toEqual([10_250, 10_750, 11_750, 13_750]);
});

// Seen to fail when states were queued.
test('a slow reader gets only the latest state', async () => {
  const { stage, watch } = createStage();
  const states = watch(toTask());
  let attempt = 1;
  stage.now = () => toTask({ attempt: attempt++ });
  await vi.advanceTimersByTimeAsync(5_000);
  expect(attempt).toBeGreaterThan(10);
  expect(await states.next(0)).toMatchObject({ attempt: attempt - 1 });
  const nothing = states.next(10);
  await vi.advanceTimersByTimeAsync(10);
  expect(await nothing).toBeUndefined();
  states.close();
});

// Seen to fail when a read also reached watches that began while it was under way.
test('a watch gets no state that was read before it began', async () => {
  let answer = (_: Task) => {};
  const readTask = () => new Promise<Task>((resolve) => (answer = resolve));
  const watcher = createWatcher({ tasks: toWatched(readTask), config: { apiKeys: [] } });
  const watch = (task: Task) => watcher.watch('local', task);
  const early = watch(toTask({ status: 'scheduled' }));
  await vi.advanceTimersByTimeAsync(250);
  const late = watch(toTask({ status: 'running' }));
  answer(toTask({ status: 'queued' }));
  expect(await early.next(1)).toMatchObject({ status: 'queued' });
  const nothing = late.next(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(await nothing).toBeUndefined();
  early.close();
  late.close();
});

// Seen to fail when every error ended the watches.
test('while Temporal is away, a task is read every second and its watches stay; a task that is gone ends them', async () => {
  const { stage, watch } = createStage();
  const states = watch(toTask());
  stage.now = () => {
    throw new TemporalUnavailable('unknown');
  };
  await vi.advanceTimersByTimeAsync(3_500);
  expect(stage.reads).toEqual([250, 1_250, 2_250, 3_250]);
  stage.now = () => toTask({ status: 'completed' });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await states.next(0)).toMatchObject({ status: 'completed' });

  stage.now = () => {
    throw new Problem('not-found', 'gone');
  };
  const next = states.next(60_000);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(await next).toBeUndefined();
  expect(states.isOpen).toBe(false);
  expect(vi.getTimerCount()).toBe(0);
});

// Seen to fail when `stopping` was ignored.
test('a stopping process ends every watch at once, including later ones', async () => {
  const stopping = new AbortController();
  const { watch } = createStage(stopping.signal);
  const states = watch(toTask());
  const next = states.next(60_000);
  stopping.abort();
  expect(await next).toBeUndefined();
  expect(watch(toTask()).isOpen).toBe(false);
  expect(vi.getTimerCount()).toBe(0);
});

/** Creates a watcher whose long polls settle when the test says so. Each call about a task is in `calls`. */
function createLongPollStage() {
  const calls: string[] = [];
  const polls: { id: string; signal: AbortSignal; settle: (hasEnded: boolean) => void; fail: () => void }[] = [];
  const stage = { calls, polls, now: (id: string): Task => toTask({ id }) };
  const read = (kind: string) => async (_: string, id: string) => {
    calls.push(`${kind} ${id}`);
    return stage.now(id);
  };
  const awaitEnd = (id: string, signal: AbortSignal) =>
    new Promise<boolean>((settle, reject) => {
      calls.push(`await ${id}`);
      polls.push({ id, signal, settle, fail: () => reject(new TemporalUnavailable('unknown')) });
    });
  const tasks = { read: read('read'), readEnded: read('readEnded'), awaitEnd };
  const watcher = createWatcher({ tasks, config: { apiKeys: [] } });
  return { ...stage, stage, ...watcher };
}

const ended = (id = 'task') => toTask({ id, status: 'completed', finishedAt: '2026-11-24T00:00:01.000Z' });

// Seen to fail when a wait was polled, and when a task that had ended was read like an open one.
test('a watch for the end makes long polls and no reads, and reads the task as soon as it has ended', async () => {
  const { stage, calls, polls, watchEnd } = createLongPollStage();
  const end = watchEnd('local', toTask());
  await vi.advanceTimersByTimeAsync(20_000);
  polls[0]?.settle(false);
  await vi.advanceTimersByTimeAsync(0);
  expect(calls).toEqual(['await task', 'await task']);
  stage.now = ended;
  polls[1]?.settle(true);
  await vi.advanceTimersByTimeAsync(0);
  expect(await end.next(0)).toMatchObject({ status: 'completed' });
  expect(calls.slice(2)).toEqual(['readEnded task']);
  end.close();
  expect(polls[1]?.signal.aborted).toBe(true);
  await vi.advanceTimersByTimeAsync(100);
  expect(vi.getTimerCount()).toBe(0);
});

// Seen to fail when the second watch got neither the read that ran nor one of its own.
test('a watch for the end that wants a read while another read runs gets a read of its own', async () => {
  const answers: ((task: Task) => void)[] = [];
  const read = () => new Promise<Task>((resolve) => answers.push(resolve));
  const watcher = createWatcher({ tasks: toWatched(read), config: { apiKeys: [] } });
  const early = watcher.watchEnd('local', toTask());
  early.readNow();
  await vi.advanceTimersByTimeAsync(0);
  const late = watcher.watchEnd('local', toTask());
  late.readNow();
  answers[0]?.(toTask({ status: 'running' }));
  await vi.advanceTimersByTimeAsync(100);
  expect(answers).toHaveLength(2);
  answers[1]?.(toTask({ status: 'retrying' }));
  expect(await late.next(1)).toMatchObject({ status: 'retrying' });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(answers).toHaveLength(2);
  early.close();
  late.close();
});

// Seen to fail when the watch stopped at the end of the first run.
test('if an operator ends one run of a task, the watch waits for the end of the next run', async () => {
  const { stage, calls, polls, watchEnd } = createLongPollStage();
  const end = watchEnd('local', toTask());
  polls[0]?.settle(true);
  await vi.advanceTimersByTimeAsync(0);
  expect(calls).toEqual(['await task', 'readEnded task', 'await task']);
  stage.now = ended;
  polls[1]?.settle(true);
  expect(await end.next(1)).toMatchObject({ status: 'completed' });
  end.close();
});

// Seen to fail when a lost long poll was forgotten.
test('a task whose long poll fails is polled until it ends', async () => {
  const { stage, calls, polls, watchEnd } = createLongPollStage();
  const end = watchEnd('local', toTask());
  polls[0]?.fail();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(calls).toEqual(['await task', 'read task', 'read task']);
  stage.now = ended;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await end.next(0)).toMatchObject({ status: 'completed' });
  end.close();
});

// Seen to fail when only the first subscription decided how a task is watched.
test('a watch for changes beside one for the end is polled, until it closes', async () => {
  const { calls, watch, watchEnd } = createLongPollStage();
  const end = watchEnd('local', toTask());
  const changes = watch('local', toTask());
  await vi.advanceTimersByTimeAsync(2_000);
  expect(calls).toEqual(['await task', 'read task', 'read task', 'read task']);
  changes.close();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(calls.length).toBeLessThanOrEqual(5);
  calls.length = 0;
  end.readNow();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(calls).toEqual(['read task']);
  end.close();
});

// Seen to fail without the limit, and when a closed watch kept its place.
test('a process has at most 500 long polls: further tasks are polled, and a new watch uses a place that became free', async () => {
  const { calls, polls, watchEnd } = createLongPollStage();
  const waits = Array.from({ length: 502 }, (_, index) => watchEnd('local', toTask({ id: `task-${index}` })));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(polls.length).toBe(500);
  expect(calls.filter((call) => call.startsWith('read'))).toEqual([
    ...['read task-500', 'read task-501'],
    ...['read task-500', 'read task-501'],
  ]);
  waits[0]?.close();
  const late = watchEnd('local', toTask({ id: 'late' }));
  expect(polls.map(({ id }) => id).slice(500)).toEqual(['late']);
  for (const wait of [...waits, late]) wait.close();
});

// Seen to fail when the tasks with a long poll were polled as well.
test('1,000 waits take fewer calls than 1,000 polled tasks, which share 200 reads a second', async () => {
  const { calls, polls, watchEnd } = createLongPollStage();
  const waits = Array.from({ length: 1_000 }, (_, index) => watchEnd('local', toTask({ id: `task-${index}` })));
  await vi.advanceTimersByTimeAsync(20_000);
  for (const { settle } of polls.splice(0)) settle(false);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(calls.filter((call) => call.startsWith('await')).length).toBe(1_000);
  expect(calls.length).toBeLessThan(0.9 * 200 * 30);
  for (const wait of waits) wait.close();
});
