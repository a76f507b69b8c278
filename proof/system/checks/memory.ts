import { type Check, expectThat } from '../../checks/check.ts';
import { submitAtOnce, untilAllFinished } from '../load.ts';
import type { MemorySample } from '../result.ts';
import type { ProbedStack, Target } from '../target/target.ts';

const title = 'Memory Usage';
const processes = ['API', 'worker'] as const;
/** These rounds do not count: at first, the heap grows because V8 compiles code and collects feedback. */
const warmUpRounds = 8;
const rounds = 8;
/** This check does not test load, so tasks are submitted in small lots, one lot after the other. */
const lotsARound = 2;
const tasksALot = 75;
const tasksARound = lotsARound * tasksALot;
/** A heap leaks if it grows by this much or more for each task, measured after full garbage collections. */
const mostBytesATask = 1_024;

const mebibytes = (bytes: number) => `${(bytes / 1_048_576).toFixed(1)} MiB`;
const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Returns the growth in bytes per task: the median slope over all pairs of samples (Theil–Sen). */
function toSlope(samples: Pick<MemorySample, 'tasks' | 'heapUsedBytes'>[]): number {
  const slopes = samples.flatMap((a, index) =>
    samples.slice(index + 1).map((b) => (b.heapUsedBytes - a.heapUsedBytes) / (b.tasks - a.tasks)),
  );
  return median(slopes);
}

/** Measured after full garbage collections, the heaps of API and worker do not grow with the number of tasks. */
export const memory: Check<Target> = {
  title,
  async run(target, tools) {
    const { say } = tools;
    const samples: Record<string, MemorySample[]> = { API: [], worker: [] };
    const pids: Record<string, number> = {};
    const readAll = async (stack: ProbedStack, phase: MemorySample['phase'], tasks: number) => {
      for (const process of processes) {
        const { pid, ...read } = await stack.readMemory(process);
        pids[process] ??= pid;
        expectThat(pid === pids[process], `The ${process} died and was started again during the measurement`);
        const sample = { process, phase, tasks, ...read };
        target.record.sample(sample);
        samples[process]?.push({ ...sample, atMs: 0 });
      }
    };
    await target.withProbedStack(async (stack) => {
      const { holdfast } = stack;
      const serve = async () => {
        const lot = { check: title, count: tasksALot };
        for (let done = 0; done < lotsARound; done += 1) {
          const { tasks, faults } = await submitAtOnce({ holdfast, record: target.record }, lot, tools);
          expectThat(faults.length === 0, `${faults.length} submissions were not accepted, first: ${faults[0]}`);
          await untilAllFinished(holdfast, tasks, tools);
        }
      };
      say(
        `${rounds} rounds of ${tasksARound} tasks after ${warmUpRounds} to warm up, a full garbage collection after each...`,
      );
      await readAll(stack, 'before', 0);
      for (let round = 1; round <= warmUpRounds + rounds; round += 1) {
        await serve();
        const phase = round === warmUpRounds + rounds ? 'after' : 'during';
        await readAll(stack, phase, round * tasksARound);
      }
    });
    for (const process of processes) {
      const [before, ...all] = samples[process] ?? [];
      const measured = all.slice(warmUpRounds - 1);
      const after = measured.at(-1);
      const during = measured.map(({ heapUsedBytes }) => mebibytes(heapUsedBytes)).join(', ');
      const slope = toSlope(measured);
      say(`  ${process} heap: before ${mebibytes(before?.heapUsedBytes ?? 0)}; during ${during}`);
      const highest = Math.max(...all.map(({ rssBytes }) => rssBytes));
      say(
        `  ${process} RSS: before ${mebibytes(before?.rssBytes ?? 0)}, during at most ${mebibytes(highest)}, after ${mebibytes(after?.rssBytes ?? 0)}`,
      );
      say(`  ${process} heap grows by ${Math.round(slope)} bytes a task (a leak: ${mostBytesATask} or more)`);
      expectThat(
        slope < mostBytesATask,
        `The heap of the ${process} grows by ${Math.round(slope)} bytes with each task, after garbage collection`,
      );
    }
    return `Heaps after garbage collection stay level over ${rounds * tasksARound} tasks`;
  },
};
