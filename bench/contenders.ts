import type { Contender, Scene, StartContender } from './contender.ts';

export type Entry = {
  /** The system's name in `--only`. */
  key: string;
  name: string;
  start: (scene: Scene) => Promise<Contender[] | { skipped: string }>;
};

/** Returns the entry of a peer. The peer's code is loaded only when the peer is started. */
const peer = (key: string, name: string, load: () => Promise<StartContender>): Entry => ({
  key,
  name,
  async start(scene) {
    const started = await (await load())(scene);
    return 'skipped' in started ? started : [started];
  },
});

/** All systems under comparison, in the order of the table. */
export const entries: Entry[] = [
  {
    key: 'holdfast',
    name: 'Holdfast and bare Temporal',
    start: async (scene) => (await import('./holdfast/contenders.ts')).startHoldfastContenders(scene),
  },
  peer('stock', 'Bare Temporal on a stock server', async () => (await import('./temporal/stock.ts')).startStock),
  peer('origin', 'FastAPI + Procrastinate', async () => (await import('./origin/contender.ts')).startOrigin),
  peer('pg-boss', 'pg-boss', async () => (await import('./pg-boss/contender.ts')).startPgBoss),
  peer(
    'graphile-worker',
    'graphile-worker',
    async () => (await import('./graphile-worker/contender.ts')).startGraphileWorker,
  ),
  peer('dbos', 'DBOS', async () => (await import('./dbos/contender.ts')).startDbos),
  peer('bullmq', 'BullMQ', async () => (await import('./bullmq/contender.ts')).startBullmq),
];
