import { ApplicationFailure, activityInfo } from '@temporalio/activity';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker, type WorkerOptions } from '@temporalio/worker';
import { loadConfig } from '../../src/config/config.ts';
import { type ItemOutcome, type SliceArguments, type SliceResult, toSliceQueue } from '../../src/contract.ts';
import type { AttemptOptions, TaskInput } from '../../src/tasks.ts';

/** An attempt of an item, in a slice or as an activity of its own. `attempt` counts both. */
export type Call = { index: number; attempt: number; slice?: string };

/** What one test does instead of a slice and of an item's own activity. */
export type Script = {
  slice: (slice: SliceArguments, id: string) => Promise<SliceResult>;
  /** The category of the item's input decides what happens. The attempt fails for `down` and `rejected`. */
  item?: (input: TaskInput) => Promise<unknown>;
};

export const unavailable = { type: 'UpstreamUnavailable', message: 'HTTP 503', upstreamStatus: 503 };
export const rejected = { type: 'UpstreamRejected', message: 'HTTP 404', upstreamStatus: 404 };

/** Returns the outcome that the category of an input names: `down`, `rejected` or anything else. */
export function toOutcome(index: number, { category }: TaskInput, waitMs = 2_000): ItemOutcome {
  if (category === 'down') return { index, failure: unavailable, waitMs };
  if (category === 'rejected') return { index, failure: rejected, reason: 'non-retryable' };
  return { index, output: { id: String(index), joke: 'A joke', url: '' } };
}

export const toInput = ({ indexes, inputs }: SliceArguments, index: number) =>
  Array.isArray(inputs) ? (inputs[indexes.indexOf(index)] as TaskInput) : inputs.input;

/** Returns the result of a slice that attempts its first `count` items at once. Failed items wait for `waitMs`. */
export const attemptFirst = (slice: SliceArguments, count = slice.indexes.length, waitMs?: number): SliceResult => ({
  outcomes: slice.indexes.slice(0, count).map((index) => toOutcome(index, toInput(slice, index), waitMs)),
});

/**
 * Starts workers whose activities are scripts, so that a test decides how a slice ends. Chunks without a script have
 * slices that attempt all their items. `calls` has the attempts of a chunk, in order.
 */
export async function startScriptedWorkers(
  { client, nativeConnection }: Pick<TestWorkflowEnvironment, 'client' | 'nativeConnection'>,
  workflowBundle: NonNullable<WorkerOptions['workflowBundle']>,
  taskQueue = loadConfig({}).taskQueue,
  scripts = new Map<string, Script>(),
) {
  const calls = new Map<string, Call[]>();
  const read = () => {
    const { workflowExecution, activityId, attempt } = activityInfo();
    const batch = workflowExecution?.workflowId.replace(/~\d+$/, '') ?? '';
    const add = (call: Call) => calls.set(batch, [...(calls.get(batch) ?? []), call]);
    return { activityId, attempt, add, script: scripts.get(batch) };
  };
  const activities = {
    async 'attempt-items'(slice: SliceArguments): Promise<SliceResult> {
      const { activityId, add, script } = read();
      const result = script ? await script.slice(slice, activityId) : attemptFirst(slice);
      for (const { index } of result.outcomes) add({ index, attempt: 1, slice: activityId });
      return result;
    },
    async 'fetch-joke'(input: TaskInput, { attemptsBefore = 0 }: AttemptOptions) {
      const { activityId, attempt, add, script } = read();
      add({ index: Number(activityId), attempt: attempt + attemptsBefore });
      if (script?.item) return script.item(input);
      const outcome = toOutcome(Number(activityId), input);
      if ('output' in outcome) return outcome.output;
      const failure = 'failure' in outcome ? outcome.failure : unavailable;
      throw ApplicationFailure.create({ ...failure, details: [{ upstreamStatus: failure.upstreamStatus }] });
    },
  };
  const common = { connection: nativeConnection, namespace: client.options.namespace, activities };
  const workers = await Promise.all([
    Worker.create({ ...common, taskQueue, workflowBundle }),
    Worker.create({ ...common, taskQueue: toSliceQueue(taskQueue) }),
  ]);
  const drained = workers.map((worker) => worker.run());
  return {
    /** Decides what the slices of a batch do. */
    script: (batch: string, script: Script) => scripts.set(batch, script),
    calls: (batch: string) => calls.get(batch) ?? [],
    async stop() {
      for (const worker of workers) worker.shutdown();
      await Promise.all(drained);
    },
  };
}
