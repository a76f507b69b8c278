import type { createProgress, Say } from '../../cli/progress.ts';
import { type Crowd, measureClients } from './measure-clients.ts';
import { type Drain, measureDrain } from './measure-drain.ts';
import type { ScaleResult } from './result.ts';
import { startScene } from './start-scene.ts';

export type Sizes = {
  /** The small backlog, then the large one. */
  backlogs: [number, number];
  workers: number[];
  /** The backlog for each number of workers. */
  tasks: number;
  clients: number[];
};

type Options = {
  sizes: Sizes;
  quick: boolean;
  machine: string;
  say: Say;
  progress: ReturnType<typeof createProgress>;
  signal: AbortSignal;
};

/** Measures Holdfast with growing backlogs, with a growing number of workers, and with a growing number of clients. */
export async function runScale({ sizes, quick, machine, say, progress, signal }: Options): Promise<ScaleResult> {
  const startedAt = new Date();
  const scene = await startScene({ say, signal });
  const drain = (tasks: number, workers: number): Promise<Drain> => {
    progress.update(`${tasks} tasks, ${workers} worker(s)`);
    return measureDrain(scene, { tasks, workers, signal });
  };
  try {
    await drain(200, 1);
    const workers: Drain[] = [];
    for (const count of sizes.workers) workers.push(await drain(sizes.tasks, count));
    const [small, large] = [await drain(sizes.backlogs[0], 1), await drain(sizes.backlogs[1], 1)];
    // Clients come last, because the tasks that they submit stay in the queue.
    const crowds: Crowd[] = [];
    for (const clients of sizes.clients) {
      progress.update(`${clients} clients`);
      crowds.push(await measureClients(scene, { clients, signal }));
    }
    return {
      startedAt: startedAt.toISOString(),
      seconds: (Date.now() - startedAt.getTime()) / 1_000,
      machine,
      quick,
      backlogs: [small, large],
      workers,
      crowds,
      ratio: large.drainRate / small.drainRate,
    };
  } finally {
    progress.end();
    await scene.stop();
  }
}
