import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Drain, measureDrain } from '../bench/scale/measure-drain.ts';
import { startScene } from '../bench/scale/start-scene.ts';
import { createCommand, runCommand } from './command.ts';

/** The first is the small backlog and the second the large one, whose drain rates are compared. */
const full = { backlogs: [1_000, 20_000], workers: [2, 4], tasks: 1_000 };
const quick = { backlogs: [300, 1_500], workers: [2, 4], tasks: 300 };

const command = createCommand(
  'bench:scale',
  'How backlog and the number of workers change rate, CPU seconds and memory.',
)
  .option('--quick', `backlogs of ${quick.backlogs.join(' and ')} instead of ${full.backlogs.join(' and ')}`)
  .option('--output <directory>', 'where scale.json goes', '.bench')
  .parse();
const { quick: isQuick, output } = command.opts<{ quick?: true; output: string }>();

const round = (values: Record<string, number>) =>
  Object.entries(values)
    .map(([part, value]) => `${part} ${value.toFixed(1)}`)
    .join(', ');
const toText = (drain: Drain) =>
  [
    `${drain.tasks} tasks, ${drain.workers} worker(s): submitted at ${drain.submissionRate.toFixed(0)}/s, drained at ${drain.drainRate.toFixed(1)}/s`,
    `  first quarter ${drain.firstQuarterRate.toFixed(1)}/s, last quarter ${drain.lastQuarterRate.toFixed(1)}/s`,
    `  CPU seconds for 1,000: ${round(drain.cpuSecondsPer1000)}; MiB: ${round(drain.memoryMiB)}`,
  ].join('\n');

await runCommand(async (signal) => {
  const say = (line: string) => console.log(line);
  const { backlogs, workers, tasks } = isQuick ? quick : full;
  const scene = await startScene({ say, signal });
  const drains: Drain[] = [];
  try {
    await measureDrain(scene, { tasks: 200, workers: 1, signal });
    const steps = [
      ...backlogs.map((backlog) => ({ tasks: backlog, workers: 1 })),
      ...workers.map((count) => ({ tasks, workers: count })),
    ];
    for (const step of steps) {
      const drain = await measureDrain(scene, { ...step, signal });
      drains.push(drain);
      say(toText(drain));
    }
  } finally {
    await scene.stop();
  }
  const [small, large] = drains as [Drain, Drain];
  const ratio = large.drainRate / small.drainRate;
  say(
    `Drain rate with a backlog of ${large.tasks} / of ${small.tasks}: ${ratio.toFixed(2)} (goal, for 20,000 / 1,000: 0.9)`,
  );
  mkdirSync(output, { recursive: true });
  writeFileSync(join(output, 'scale.json'), `${JSON.stringify({ drains, ratio, quick: isQuick ?? false }, null, 1)}\n`);
  return 0;
});
