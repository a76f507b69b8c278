import type { TaskActivityOptions } from './policy.ts';
import type { AttemptOptions, TaskInput, TaskName } from './tasks.ts';

/**
 * What the API, the workflows and the activities agree on. Workflows that an older build started rely on the names, ids
 * and fields in it, so none of these may change. The file is part of the workflow bundle, so it imports only types.
 */

/** If a worker dies, another worker gets its workflow task after this time. Temporal's default is 10 s. */
export const workflowTaskTimeoutMs = 5_000;

/** The workflow types of a batch and of its chunks. The workflow type of a task is the name of the task. */
export const batchType = 'run-batch';
export const chunkType = 'run-chunk';
/** The types of a batch whose items begin in slices. Builds up to 0.3 do not know them, so newer workers run it. */
export const slicedBatchType = 'run-batch-in-slices';
export const slicedChunkType = 'run-chunk-in-slices';

/** The activity type of a slice, which makes the first attempts of several items. Its activity id is `slice-{n}`. */
export const sliceType = 'attempt-items';

/** Returns the task queue of the slices. Single attempts have the other queue, so slices cannot delay them there. */
export const toSliceQueue = (taskQueue: string) => `${taskQueue}~slices`;

/** How many items of a batch have ended in each way. */
export type Counts = { completed: number; failed: number; cancelled: number };

/**
 * A chunk sends this signal to its batch, with the chunk's counts so far. Only a chunk that an operator has reset may
 * have lower counts than before. Otherwise, lower counts are older ones that arrived late.
 */
export const progressSignal = 'progress';
export type ProgressArguments = [chunkId: string, counts: Counts, isReset?: boolean];

/** A batch sends this signal to a chunk of an earlier run. The chunk then reports its counts at once and at its end. */
export const reportSignal = 'report';

/** The API sends it before it cancels a batch: the attempts of each waiting item, which Temporal then forgets. */
export const attemptsSignal = 'attempts';
export type AttemptsArguments = [attempts: Record<string, number>];

/** The argument of a task's workflow. */
export type TaskArguments<N extends TaskName = TaskName> = AttemptOptions & {
  input: TaskInput<N>;
  options: TaskActivityOptions;
};

/** The inputs of a batch: a list with one input per item, or one input for all `count` items. */
export type Inputs<N extends TaskName = TaskName> = TaskInput<N>[] | { count: number; input: TaskInput<N> };

/** What all items of a batch share. */
type BatchOptions<N extends TaskName> = { name: N; options: TaskActivityOptions } & AttemptOptions;

/** How large a chunk's slices are, when an item runs alone, and how long a chunk waits after slices that began none. */
export type SliceLimits = { minimumItems: number; maximumLosses: number; firstIdleMs: number; maximumIdleMs: number };

/** The limits are in the argument of a batch, because code with other limits would not fit the running batches. */
type Limits = { maximumSliceItems?: number; sliceLimits?: SliceLimits };

/**
 * The argument of a batch's workflow. `chunkSizes` has the number of items of each chunk, in order. `maximumInFlight`
 * decides when chunks start.
 */
export type BatchArguments<N extends TaskName = TaskName> = BatchOptions<N> &
  Limits & { inputs: Inputs<N>; chunkSizes: number[]; maximumInFlight?: number };

/** The argument of a chunk's workflow. `first` is the index, in the whole batch, of the chunk's first item. */
export type ChunkArguments<N extends TaskName = TaskName> = BatchOptions<N> &
  Limits & { inputs: Inputs<N>; first: number };

/** The argument of a slice. `inputs` has one input per index, or one input for all. All indexes count in the batch. */
export type SliceArguments<N extends TaskName = TaskName> = BatchOptions<N> & { indexes: number[]; inputs: Inputs<N> };

export type ItemFailure = { type: string; message: string; upstreamStatus?: number };

/** How a first attempt ended. After `waitMs`, another follows. `reason`: it failed. `cancelled`: it had begun. */
export type ItemOutcome = { index: number } & (
  | { output: unknown }
  | { failure: ItemFailure; waitMs: number }
  | { failure: ItemFailure; reason: 'non-retryable' | 'attempts-exhausted' }
  | { cancelled: true }
);

/**
 * What a slice returns. An item without an outcome, here or in an earlier signal of the slice, has not begun. With
 * `holdMs`, the upstream seems to be down, and the chunk begins no slice for that time.
 */
export type SliceResult = { outcomes: ItemOutcome[]; holdMs?: number };

/**
 * A slice whose calls are slow sends this signal to the run of the chunk that started it. The signal has the outcomes
 * so far. `running` has the items whose calls still run, and those whose outcomes did not fit into the signal. The
 * slice's result has their outcomes. All other items of the slice have not begun and go back to the chunk.
 */
export const sliceSignal = 'slice';
export type SliceSignalArguments = [slice: string, report: SliceResult & { running: number[] }];

type SubmissionMemo = {
  submittedAt: string;
  /** A hash of the submission, if it has an idempotency key. Only a submission with the same hash may reuse the key. */
  fingerprint?: string;
};

/** What the API records with a task, in its workflow's memo or its activity's arguments. Reading needs no worker. */
export type TaskRecord = SubmissionMemo & { input: TaskInput; maxAttempts: number; rerunOf?: string };

/** The memo of a chunk whose items begin in slices. */
export type ChunkMemo = { progress?: Counts };

/** The memo of a batch's workflow. The workflow adds the counts of the batch and of its chunks, and `attempts`. */
export type BatchMemo = SubmissionMemo & {
  chunkSizes: number[];
  progress?: Counts;
  /** The counts of each chunk that has reported any, by the chunk's number: completed, failed, cancelled. */
  chunks?: Record<string, [number, number, number]>;
  /** The numbers of the chunks that failed, for example because an operator terminated them. */
  failedChunks?: number[];
  /** The argument of `attemptsSignal`. It is set when the batch receives that signal. */
  attempts?: Record<string, number>;
};

/** Returns the prefix of an owner's ids. It has a hash, not the owner's name, because Temporal never encrypts ids. */
export const toIdPrefix = (ownerHash: string) => `${ownerHash}_`;

/** How a single task runs: as a workflow with one activity, or as a standalone activity. */
export const engines = ['workflow', 'activity'] as const;
export type EngineName = (typeof engines)[number];

/**
 * Returns the id of a task or batch, which is also its id in Temporal: `{ownerHash}_{task}_{key}`. Before the key, the
 * id of a standalone activity has `activity_`, and the id of a batch has `batch_`. `key` is a UUID or a hash.
 */
export const toId = (ownerHash: string, name: TaskName, key: string, kind: EngineName | 'batch') =>
  `${toIdPrefix(ownerHash)}${name}_${kind === 'workflow' ? '' : `${kind}_`}${key}`;

/** Returns the workflow id of a batch's chunk. `number` counts from 0. */
export const toChunkId = (batchId: string, number: number) => `${batchId}~${number}`;

/** Returns the id of a batch's item: `{batchId}/{index}`. `index` is the item's index in the whole batch. */
export const toItemId = (chunkId: string, index: string) => `${chunkId.replace(/~\d+$/, '')}/${index}`;

const idPattern = /^([^_]*)_([^_]*)_(?:(batch|activity)_)?[A-Za-z0-9-]{1,64}$/;

/** Returns the parts of the id of a task or batch, or `undefined` for any other text. `name` may be an unknown task. */
export function parseId(id: string): { ownerHash: string; name: string; kind: EngineName | 'batch' } | undefined {
  const [, ownerHash, name, kind = 'workflow'] = idPattern.exec(id) ?? [];
  if (ownerHash === undefined || name === undefined) return undefined;
  return { ownerHash, name, kind: kind as EngineName | 'batch' };
}
