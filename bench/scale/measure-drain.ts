import { setTimeout as sleep } from 'node:timers/promises';
import { SetupError } from '../../scripts/setup-error.ts';
import type { Scene } from './start-scene.ts';

const parts = ['server', 'api', 'worker'] as const;
type Part = (typeof parts)[number];

export type Drain = {
  tasks: number;
  workers: number;
  submissionRate: number;
  /** Completions a second from the first that is seen to the last: the start of the worker processes is left out. */
  drainRate: number;
  firstQuarterRate: number;
  lastQuarterRate: number;
  /** For 1,000 tasks, submission and drain together; a worker's include its start. */
  cpuSecondsPer1000: Record<Part, number>;
  memoryMiB: Record<Part, number>;
};

type Sample = { at: number; done: number };

const rateBetween = (from: Sample, to: Sample) => ((to.done - from.done) / (to.at - from.at)) * 1_000;
const silentMs = 60_000;

/** Submits `tasks` with no worker alive, then starts `workers` and watches until all have completed. */
export async function measureDrain(
  scene: Scene,
  { tasks, workers, signal }: { tasks: number; workers: number; signal: AbortSignal },
): Promise<Drain> {
  await scene.setWorkers(0);
  const base = await scene.completed();
  const before = scene.read();
  const { seconds } = await scene.submit(tasks);
  await scene.setWorkers(workers);
  const samples: Sample[] = [];
  let changedAt = performance.now();
  for (let done = 0; done < tasks; ) {
    await sleep(250, undefined, { signal });
    const now = (await scene.completed()) - base;
    const at = performance.now();
    if (now > done) {
      changedAt = at;
      samples.push({ at, done: now });
    } else if (at - changedAt > silentMs)
      throw new SetupError(`${tasks - now} of ${tasks} tasks have not completed, and none did for a minute.`);
    done = now;
  }
  const after = scene.read();
  const sampleAt = (share: number) => samples.find(({ done }) => done >= tasks * share) as Sample;
  const [first, last] = [sampleAt(0), sampleAt(1)];
  const toParts = (value: (part: Part) => number) =>
    Object.fromEntries(parts.map((part) => [part, value(part)])) as Record<Part, number>;
  return {
    tasks,
    workers,
    submissionRate: tasks / seconds,
    drainRate: rateBetween(first, last),
    firstQuarterRate: rateBetween(first, sampleAt(0.25)),
    lastQuarterRate: rateBetween(sampleAt(0.75), last),
    cpuSecondsPer1000: toParts((part) => ((after[part].cpuSeconds - before[part].cpuSeconds) / tasks) * 1_000),
    memoryMiB: toParts((part) => after[part].memoryMiB),
  };
}
