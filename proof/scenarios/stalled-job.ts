import type { Say } from '../../cli/progress.ts';
import type { Stack } from '../../local/stack/start-stack.ts';
import { type Check, expectThat, type Tools } from '../checks/check.ts';
import { crashEverything, crashWorker, type Moment, type Timing } from './crashes.ts';
import { holdTasks } from './held-tasks.ts';
import { type Scene, toText } from './scene.ts';
import { toSeconds } from './until.ts';

const count = 10;
/**
 * These times are Holdfast's defaults, and --fast does not scale them down. A worker takes some seconds to start. With
 * a much shorter heartbeat timeout, the scenario would mainly measure that start.
 */
const timing: Timing = { heartbeatTimeoutMs: 10_000, waitMs: 2_000 };
const variables = {
  HEARTBEAT_TIMEOUT: String(timing.heartbeatTimeoutMs / 1_000),
  BASE_DELAY: String(timing.waitMs / 1_000),
};

/** Formats durations as `min 5.10 s, median 5.52 s, max 5.90 s`. */
function toSpread(durationsMs: number[]): string {
  const sorted = durationsMs.toSorted((a, b) => a - b);
  const median = ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2;
  return `min ${toSeconds(sorted[0] ?? 0)}, median ${toSeconds(median)}, max ${toSeconds(sorted.at(-1) ?? 0)}`;
}

/**
 * Prints the time from each moment to each task's next upstream call.
 * @throws {CheckFailure} if a task's time from a moment exceeds the limit of that moment.
 */
function expectRecovery(recoveredAtMs: number[], moments: Moment[], say: Say): void {
  say('Observation: each task called the upstream again');
  for (const [index, atMs] of recoveredAtMs.entries()) {
    const durations = moments.map((moment) => `${toSeconds(atMs - moment.atMs)} from ${moment.name}`);
    say(`  task ${String(index + 1).padStart(2)}: ${durations.join(', ')}`);
  }
  for (const moment of moments)
    say(`  from ${moment.name}: ${toSpread(recoveredAtMs.map((atMs) => atMs - moment.atMs))}`);
  for (const { name, limit } of moments) if (limit) say(`  bound from ${name}: ${toSeconds(limit.ms)} = ${limit.sum}`);
  say('  the old runner, whose cron looked for stalled jobs: up to 10 minutes');
  for (const { name, atMs, limit } of moments) {
    const slowestMs = Math.max(...recoveredAtMs) - atMs;
    expectThat(
      !limit || slowestMs <= limit.ms,
      `The slowest task took ${toSeconds(slowestMs)} from ${name}, the bound is ${toSeconds(limit?.ms ?? 0)}`,
    );
  }
}

type Crash = (stack: Stack, timing: Timing, tools: Tools) => Promise<Moment[]>;

/**
 * Runs `crash` while ten tasks are in their first attempts. Returns the time from the kill to the recovery of the last
 * task, in milliseconds.
 */
async function recoverFrom(crash: Crash, stack: Stack, tools: Tools): Promise<number> {
  const { heartbeatTimeoutMs } = timing;
  const held = await holdTasks(stack, { category: crash.name, count, heartbeatTimeoutMs, signal: tools.signal });
  await held.untilHeld();
  tools.say(`  ${count} tasks are running, their calls held by the upstream`);
  await held.untilKeptAlive();
  tools.say('  held for longer than the heartbeat timeout, all are still on attempt 1');
  const moments = await crash(stack, timing, tools);
  const recoveredAtMs = await held.untilRecovered();
  expectRecovery(recoveredAtMs, moments, tools.say);
  return Math.max(...recoveredAtMs) - (moments[0]?.atMs ?? 0);
}

/** Another worker soon repeats the attempts of a killed worker, even if all of Holdfast was killed. */
export const stalledJob: Check<Scene> = {
  title: 'Stalled Job Recovery',
  async run(scene, tools) {
    tools.say(`Set-up: Holdfast with ${toText(variables)}`);
    tools.say('        an upstream that holds every first attempt');
    return await scene.withStack(variables, async (stack) => {
      const { workerConcurrency } = stack.config();
      expectThat(
        workerConcurrency >= count,
        `A worker runs ${workerConcurrency} attempts at once, fewer than ${count}`,
      );
      tools.say(`Action: ${count} tasks are submitted; then kill -9 of the worker that runs them`);
      const worker = await recoverFrom(crashWorker, stack, tools);
      tools.say(
        `\nAction: ${count} more tasks; then kill -9 of npm start and every process of it, and npm start again`,
      );
      const everything = await recoverFrom(crashEverything, stack, tools);
      return `All tasks completed on attempt 2. The slowest called again ${toSeconds(worker)} after the worker's kill, or ${toSeconds(everything)} after the kill of everything`;
    });
  },
};
