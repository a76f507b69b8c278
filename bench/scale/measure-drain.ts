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
   * Completions a second, from the last poll that saw none to the last one: without the start of the worker
   * processes.
   */
  drainRate: number;
  /** The same for each tenth of the backlog, in order. */
  tenths: number[];
  /** For 1,000 tasks, submission and drain together. A worker's seconds include its start. */
  cpuSecondsPer1000: Record<Part, number>;
  memoryMiB: Record<Part, number>;
};

type Sample = { at: number; done: number };

/** Returns completions a second, from the first sample to the last and over each tenth between them. */
export function toRates(samples: Sample[]): Pick<Drain, 'drainRate' | 'tenths'> {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last) return { drainRate: Number.NaN, tenths: [] };
  const span = last.done - first.done;
  /** Interpolates between two samples. */
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

/** Submits `tasks` while no worker is alive, then starts `workers` and measures until all have completed. */
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
  // A small backlog may be gone at the first poll. With this sample there are at least two.
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
      throw new SetupError(`${tasks - now} of ${tasks} tasks have not completed, and none did for a minute.`);
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
