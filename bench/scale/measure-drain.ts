import { SetupError } from '../../cli/setup-error.ts';
import { until } from '../../cli/until.ts';
import type { Scene } from './start-scene.ts';

const parts = ['server', 'api', 'worker'] as const;
type Part = (typeof parts)[number];

export type Drain = {
  tasks: number;
  workers: number;
  submissionRate: number;
  /**
   * Completions a second, from the last poll that found no completed task to the final poll. The start of the worker
   * processes is therefore not included.
   */
  drainRate: number;
  /** Completions a second for each tenth of the backlog, in order. */
  tenths: number[];
  /** CPU seconds for 1,000 tasks, for submission and drain together. The start of the workers is included. */
  cpuSecondsPer1000: Record<Part, number>;
  memoryMiB: Record<Part, number>;
};

type Sample = { at: number; done: number };

/** Returns the completions a second between the first and the last sample, in total and for each tenth of the tasks. */
export function toRates(samples: Sample[]): Pick<Drain, 'drainRate' | 'tenths'> {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last) return { drainRate: Number.NaN, tenths: [] };
  const span = last.done - first.done;
  /** Returns when `done` tasks had completed, interpolated between two samples. */
  const timeAt = (done: number) => {
    const index = Math.max(
      1,
      samples.findIndex((sample) => sample.done >= done),
    );
    const [from = first, to = last] = samples.slice(index - 1, index + 1);
    return from.at + ((to.at - from.at) * (done - from.done)) / Math.max(1, to.done - from.done);
  };
  const tenths = Array.from({ length: 10 }, (_, index) => {
    const [from, to] = [index, index + 1].map((tenth) => timeAt(first.done + (span * tenth) / 10)) as [number, number];
    return (span / 10 / (to - from)) * 1_000;
  });
  return { drainRate: (span / (last.at - first.at)) * 1_000, tenths };
}

const silentMs = 60_000;

/**
 * Submits `tasks` tasks while no worker runs. Then starts `workers` workers and measures until no task is left.
 * @throws {SetupError} when nothing completes for a minute.
 */
export async function measureDrain(
  scene: Scene,
  { tasks, workers, signal }: { tasks: number; workers: number; signal: AbortSignal },
): Promise<Drain> {
  await scene.setWorkers(0);
  const base = await scene.completed();
  const before = scene.read();
  const { seconds } = await scene.submit(tasks);
  await scene.setWorkers(workers);
  let changedAt = performance.now();
  // `toRates` needs two samples. The first is taken here, because the first poll may find all tasks completed.
  const samples: Sample[] = [{ at: changedAt, done: 0 }];
  let done = 0;
  const isDrained = async () => {
    const now = (await scene.completed()) - base;
    const at = performance.now();
    if (now === 0) samples[0] = { at, done: 0 };
    if (now > done) {
      changedAt = at;
      samples.push({ at, done: now });
    } else if (at - changedAt > silentMs)
      throw new SetupError(
        `${tasks - now} of ${tasks} tasks are not completed, and none completed in the last minute.`,
      );
    done = now;
    return done >= tasks;
  };
  await until(isDrained, { everyMs: 250, signal });
  const after = scene.read();
  const toParts = (value: (part: Part) => number) =>
    Object.fromEntries(parts.map((part) => [part, value(part)])) as Record<Part, number>;
  return {
    tasks,
    workers,
    submissionRate: tasks / seconds,
    ...toRates(samples),
    cpuSecondsPer1000: toParts((part) => ((after[part].cpuSeconds - before[part].cpuSeconds) / tasks) * 1_000),
    memoryMiB: toParts((part) => after[part].memoryMiB),
  };
}
