import type { Crowd } from './measure-clients.ts';
import type { Drain } from './measure-drain.ts';

export type ScaleResult = {
  startedAt: string;
  seconds: number;
  machine: string;
  quick: boolean;
  /** A small backlog and a large one, with one worker. */
  backlogs: Drain[];
  /** Backlogs of the same size, with a growing number of worker processes. */
  workers: Drain[];
  crowds: Crowd[];
  /** The drain rate with the large backlog, divided by the rate with the small one. */
  ratio: number;
};

/** The smallest `ratio` that meets the goal. */
export const leastRatio = 0.9;

const one = (value: number) => value.toFixed(1);

const toDrainLine = ({ tasks, workers, submissionRate, drainRate, tenths, cpuSecondsPer1000: cpu, memoryMiB }: Drain) =>
  [
    `  ${tasks} tasks, ${workers} worker(s): submitted at ${submissionRate.toFixed(0)}/s, drained at ${one(drainRate)}/s (in each tenth of the backlog: ${tenths.map((rate) => rate.toFixed(0)).join(' ')})`,
    `    CPU s for 1,000 tasks: server ${one(cpu.server)}, API ${one(cpu.api)}, workers ${one(cpu.worker)}; MiB: server ${memoryMiB.server.toFixed(0)}, API ${memoryMiB.api.toFixed(0)}, workers ${memoryMiB.worker.toFixed(0)}`,
  ].join('\n');

const toCrowdLine = ({ clients, latency, cpuShare, memoryMiB }: Crowd) =>
  `  ${clients} clients: submission p50 ${latency.p50} ms, p95 ${latency.p95} ms; API ${(cpuShare * 100).toFixed(1)} % of a core, ${memoryMiB.toFixed(0)} MiB`;

/** Formats a run for a terminal. */
export function toScaleText({ machine, backlogs, workers, crowds, ratio, quick }: ScaleResult): string {
  const [small, large] = backlogs;
  const isGoal = large?.tasks === 20_000;
  const verdict = isGoal
    ? `goal: at least ${leastRatio}, ${ratio >= leastRatio ? 'met' : 'not met'}`
    : `not judged: the goal of at least ${leastRatio} is for backlogs of 20,000 and 1,000`;
  return [
    `On ${machine}${quick ? ', quick' : ''}`,
    'Backlogs:',
    ...backlogs.map(toDrainLine),
    `  Drain rate with ${large?.tasks} tasks, divided by the rate with ${small?.tasks}: ${ratio.toFixed(2)} (${verdict})`,
    'Workers:',
    ...workers.map(toDrainLine),
    'Clients that follow a task:',
    ...crowds.map(toCrowdLine),
  ].join('\n');
}
