import type { TaskActivityOptions } from './policy.ts';
import type { AttemptOptions, TaskInput, TaskName } from './tasks.ts';

/**
 * What the API and the workflows agree on. Workflows that an older build started rely on it too: the names, ids and
 * fields here must stay as they are. The file is part of the workflow bundle, so it imports types only.
 */

/** A workflow task of a dead worker goes to another worker after this time. Temporal's default is 10 s. */
export const workflowTaskTimeoutMs = 5_000;

/** The workflow types of batches. The workflow type of a task is its name. */
export const batchType = 'run-batch';
export const chunkType = 'run-chunk';

/** How many items of a batch have ended in each way. */
export type Counts = { completed: number; failed: number; cancelled: number };

/** The signal from a chunk to its batch with the chunk's counts so far. */
export const progressSignal = 'progress';
export type ProgressArguments = [chunkId: string, counts: Counts];

/**
 * The signal from the API to a batch that it is about to cancel: the attempts made by each item that waits for its
 * next one, by index. The server forgets these numbers with the cancellation.
 */
export const attemptsSignal = 'attempts';
export type AttemptsArguments = [attempts: Record<string, number>];

/** The argument of a task's workflow. */
export type TaskArguments<N extends TaskName = TaskName> = {
  input: TaskInput<N>;
  options: TaskActivityOptions;
} & AttemptOptions;

/** The inputs of a batch: a list, or one input for all `count` items. */
export type Inputs<N extends TaskName = TaskName> = TaskInput<N>[] | { count: number; input: TaskInput<N> };

/** What all items of a batch share. */
type BatchOptions<N extends TaskName> = { name: N; options: TaskActivityOptions } & AttemptOptions;

/** The argument of a batch's workflow. `chunkSizes` has the number of items of each chunk, in order. */
export type BatchArguments<N extends TaskName = TaskName> = BatchOptions<N> & {
  inputs: Inputs<N>;
  chunkSizes: number[];
};

/** The argument of a chunk's workflow. `first` is the index of its first item in the batch. */
export type ChunkArguments<N extends TaskName = TaskName> = BatchOptions<N> & { inputs: Inputs<N>; first: number };

type SubmissionMemo = {
  submittedAt: string;
  /** With an idempotency key only: the hash that another submission under the same key must have. */
  fingerprint?: string;
};

/** The memo of a task's workflow. It makes the task readable with no worker alive. */
export type TaskMemo = SubmissionMemo & { input: TaskInput; maxAttempts: number; rerunOf?: string };

/** The memo of a batch's workflow. The workflow adds `progress` and `attempts`. */
export type BatchMemo = SubmissionMemo & {
  chunkSizes: number[];
  progress?: Counts;
  /** Of a cancelled batch: what `attemptsSignal` brought. */
  attempts?: Record<string, number>;
};

/** What the API starts: a workflow type with its argument and memo. */
export type Submission =
  | { type: TaskName; args: [TaskArguments]; memo: TaskMemo }
  | { type: typeof batchType; args: [BatchArguments]; memo: BatchMemo };

/** The start of all ids of an owner. They contain a hash of the owner, because Temporal never encrypts ids. */
export const toIdPrefix = (ownerHash: string) => `${ownerHash}_`;

/** The id of a task and of its workflow: `{ownerHash}_{task}_{key}`. The key is a UUID or a hash. */
export const toTaskId = (ownerHash: string, name: TaskName, key: string) => `${toIdPrefix(ownerHash)}${name}_${key}`;

/** The id of a batch and of its workflow: `{ownerHash}_{task}_batch_{key}`. */
export const toBatchId = (ownerHash: string, name: TaskName, key: string) =>
  `${toIdPrefix(ownerHash)}${name}_batch_${key}`;

/** The workflow id of a batch's chunk. `number` counts from 0. */
export const toChunkId = (batchId: string, number: number) => `${batchId}~${number}`;

/** The id of a batch's item, `{batchId}/{index}`, from its chunk's workflow id and its index in the batch. */
export const toItemId = (chunkId: string, index: string) => `${chunkId.replace(/~\d+$/, '')}/${index}`;

const idPattern = /^([^_]*)_([^_]*)_(batch_)?[A-Za-z0-9-]{1,64}$/;

/** The parts of the id of a task or batch; `undefined` for any other text. No task needs to have this `name`. */
export function parseId(id: string): { ownerHash: string; name: string; isBatch: boolean } | undefined {
  const [, ownerHash, name, batch] = idPattern.exec(id) ?? [];
  return ownerHash === undefined || name === undefined ? undefined : { ownerHash, name, isBatch: batch !== undefined };
}
