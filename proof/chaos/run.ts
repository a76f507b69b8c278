import { setMaxListeners } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { nowMs } from '../../cli/measurement.ts';
import { createProgress, type Say } from '../../cli/progress.ts';
import type { Mutation } from '../mutate.ts';
import { createFaults } from './faults/faults.ts';
import { planFaults, toEstimateMs } from './faults/schedule.ts';
import { ordinaryRules } from './faults/upstream-rules.ts';
import { readExecutions } from './judge/executions.ts';
import { createProvingClient } from './load/client.ts';
import { planClients } from './load/client-plans.ts';
import { readToTheEnd, runLoad } from './load/load.ts';
import { createRecorder } from './load/recorder.ts';
import { buildCopy } from './stack/build.ts';
import { scanLogs } from './stack/logs.ts';
import { startProvedStack } from './stack/stack.ts';
import type { Evidence, FaultKind, PlannedFault } from './types.ts';

export type RunOptions = {
  tasks: number;
  faults: number;
  seed: number;
  only: readonly FaultKind[];
  /** No fault begins later than this many minutes after the start. */
  minutes: number;
  /** The changes that a mutant makes to the source. */
  mutations?: Mutation[];
  inMemory?: boolean;
  /** An existing directory for the build and Temporal's data. The caller removes it. */
  directory: string;
  /** An existing directory for `history.jsonl` and the logs. */
  output: string;
  say: Say;
  signal: AbortSignal;
};

/**
 * Clients stop waiting this long after the last fault was healed. This time is longer than the minute that the
 * invariant `ended-in-time` allows, so that the ends of late tasks are seen.
 */
const patienceMs = 90_000;
/** The time before the first fault, so that the first tasks run undisturbed. */
const calmMs = 2_000;

/**
 * Creates a function that estimates the time left for faults, in milliseconds. `done` is the number of finished
 * faults. The first estimates come from the plan, later ones from the progress.
 */
function createForecast(plan: PlannedFault[], minutes: number) {
  const began = performance.now();
  const estimateMs = calmMs + toEstimateMs(plan);
  return (done: number): number => {
    const elapsedMs = performance.now() - began;
    const leftMs = done < 5 ? estimateMs - elapsedMs : (elapsedMs * (plan.length - done)) / done;
    return Math.max(0, Math.min(leftMs, minutes * 60_000 - elapsedMs));
  };
}

/**
 * Runs the proof once: builds Holdfast, starts the stack, applies load and faults, and waits until all tasks have
 * ended. Returns the records.
 */
export async function runProof(options: RunOptions): Promise<Evidence> {
  const { tasks, faults, seed, only, minutes, directory, output, say, signal } = options;
  const { mutations = [], inMemory = false } = options;
  const planned = planFaults({ seed, faults, only });
  const plans = planClients({ seed, tasks });
  const progress = createProgress(say);
  progress.update('Building');
  const copy = join(directory, 'build');
  mkdirSync(copy, { recursive: true });
  const dist = await buildCopy(copy, mutations, signal);
  progress.update('Starting Temporal, two APIs, three workers and the joke API');
  const stack = await startProvedStack({ directory, logs: join(output, 'logs'), dist, inMemory, say, signal });
  const recorder = createRecorder(join(output, 'history.jsonl'));
  const quiet = new AbortController();
  const over = new AbortController();
  // Every client adds a listener to these signals. Node would warn about a leak from the eleventh listener on.
  setMaxListeners(0, over.signal, quiet.signal);
  const atWork: Promise<unknown>[] = [];
  try {
    for (const rule of ordinaryRules) await stack.jokeApi.addRule(rule);
    const startedAt = nowMs();
    const client = createProvingClient({ urls: stack.urls, recorder, signal });
    const injector = createFaults(stack, signal);
    const toLeftMs = createForecast(planned, minutes);
    let done = 0;
    const inject = async () => {
      await sleep(calmMs, undefined, { signal });
      const records = await injector.run(planned, startedAt + minutes * 60_000, () => {
        done += 1;
        progress.update(
          `Faults under load: ${done} of ${planned.length}, ${recorder.operations.length} lines of history`,
        );
      });
      setTimeout(() => over.abort(), patienceMs).unref();
      return records;
    };
    const load = runLoad(plans, { client, over: over.signal, signal, leftMs: () => toLeftMs(done) });
    const injecting = inject();
    const watching = injector.watch(quiet.signal);
    atWork.push(load, injecting, watching);
    const [accepted, records] = await Promise.all([load, injecting]);
    await readToTheEnd(accepted, {
      client,
      over: over.signal,
      signal,
      onEnd: (ended) => progress.update(`Waiting for the ends: ${ended} of ${accepted.length}`),
    });
    quiet.abort();
    await watching;
    const onEach = (read: number) => progress.update(`Reading Temporal's histories: ${read}`);
    const executions = await readExecutions(stack.connection, onEach);
    return {
      seed,
      startedAt,
      submissions: plans.map(({ key, isBatch, categories }) => ({ key, isBatch, items: categories.length })),
      policy: stack.config.policy,
      planned,
      faults: records,
      operations: recorder.operations,
      calls: (await stack.jokeApi.ledger()).items,
      executions,
      logs: scanLogs(join(output, 'logs')),
      deaths: injector.deaths,
    };
  } finally {
    progress.end();
    quiet.abort();
    over.abort();
    // A fault may still be starting a process. Wait for the fault, so that stopping the stack stops that process too.
    await Promise.allSettled(atWork);
    await recorder.close();
    await stack.stop();
  }
}
