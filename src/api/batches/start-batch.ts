import type { Config } from '../../config/config.ts';
import { type BatchArguments, type BatchMemo, type Inputs, type SliceLimits, slicedBatchType } from '../../contract.ts';
import { toActivityOptions } from '../../policy.ts';
import type { TaskInput, TaskName } from '../../tasks.ts';
import type { StartWorkflow } from '../../temporal/engines/start-workflow.ts';
import type { Started, StartOnce } from '../../temporal/start-once.ts';
import { toInput } from '../http/body.ts';
import { maximumBatchBytes } from '../http/limits.ts';
import { Problem } from '../problems/problem.ts';
import type { Caller } from '../submissions/caller.ts';
import { toFingerprint } from '../submissions/idempotency.ts';
import { createBatchId } from '../views/task-id.ts';
import { type Batch, toBatchBodies } from './batch-schemas.ts';
import { type BatchView, toBatch } from './batch-view.ts';
import { toChunkSizes } from './chunks.ts';

/** Temporal's lowest priority (1 is the highest). Tasks have the default, 3, so tasks overtake queued batch items. */
const priority = { priorityKey: 5 };

/**
 * Four chunks of 500 items. Items that have not begun wait in their chunk and not in a queue of the server, where they
 * would delay single tasks.
 */
const maximumInFlight = 2_000;

/** The maximum size of a slice, and the size of the first one. A slice returns the items that it has not begun. */
const maximumSliceItems = 500;

/**
 * A smaller slice would cost Temporal more than its items do. An item that kills workers harms only itself, because it
 * runs alone after two lost slices. A slice begins no item if, for example, its worker stops, so the next one waits.
 */
const sliceLimits: SliceLimits = { minimumItems: 10, maximumLosses: 2, firstIdleMs: 1_000, maximumIdleMs: 60_000 };

type Dependencies = { config: Config; view: BatchView; startOnce: StartOnce; startWorkflow: StartWorkflow };
type Submission = Caller & {
  name: TaskName;
  /** The request's body as it was received. */
  body: unknown;
};

/** Creates the function that starts a batch. Submissions with the same idempotency key start at most one batch. */
export function createStartBatch({ config, view, startOnce, startWorkflow }: Dependencies) {
  const options = toActivityOptions(config.policy);
  const { jitter } = config.policy;

  /** @throws {Problem} 422 for a body that does not fit its schema, 413 for inputs that are too large for Temporal. */
  return async ({ name, body, ...caller }: Submission): Promise<Started<Batch>> => {
    const { owner, idempotencyKey, trace } = caller;
    const inputs = toInputs(name, body);
    const chunkSizes = toChunkSizes(toBytes(inputs));
    const id = createBatchId(owner, name, idempotencyKey);
    const memo: BatchMemo = {
      chunkSizes,
      submittedAt: new Date().toISOString(),
      ...(idempotencyKey !== undefined && { fingerprint: toFingerprint({ body, delaySeconds: 0 }) }),
    };
    const args: [BatchArguments] = [
      { name, inputs, chunkSizes, maximumInFlight, maximumSliceItems, sliceLimits, options, jitter, ...trace },
    ];
    return startOnce(caller, {
      id,
      start: () => startWorkflow({ id, type: slicedBatchType, args, memo, priority }),
      fingerprint: memo.fingerprint,
      itemCount: chunkSizes.reduce((sum, size) => sum + size, 0),
      fresh: toBatch(id, name, memo),
      // A submission makes all its calls in one turn.
      readFirst: async () => {
        const { batch, state } = await view.readState(id, name, (work) => work());
        return { value: batch, fingerprint: state.memo.fingerprint };
      },
    });
  };
}

export type StartBatch = ReturnType<typeof createStartBatch>;

function toInputs(name: TaskName, body: unknown): Inputs {
  const { list, repeat } = toBatchBodies(name);
  // Choose the schema by `items`: a union of both schemas would report that neither fits, but not which item is bad.
  if (typeof body === 'object' && body !== null && 'items' in body) return toInput(list, body).items;
  const { count, input } = toInput(repeat, body);
  return { count, input: input ?? (toInput(repeat.shape.input.unwrap(), {}) as TaskInput) };
}

/** Returns the size in bytes of each input as JSON. @throws {Problem} 413 if the sum is too large for Temporal. */
function toBytes(inputs: Inputs): number[] {
  const toSize = (input: TaskInput) => Buffer.byteLength(JSON.stringify(input));
  const sizes = Array.isArray(inputs)
    ? inputs.map(toSize)
    : Array.from<number>({ length: inputs.count }).fill(toSize(inputs.input));
  const total = sizes.reduce((sum, size) => sum + size + 1, 1);
  if (total <= maximumBatchBytes) return sizes;
  throw new Problem('body-too-large', `The inputs of a batch may have at most ${maximumBatchBytes} bytes as JSON`);
}
