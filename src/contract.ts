import type { TaskActivityOptions } from './policy.ts';
import type { AttemptOptions, TaskInput, TaskName } from './tasks.ts';

/** How many items of a batch have come to each end. */
export type Counts = { completed: number; failed: number; cancelled: number };

/** One input an item, or the same for so many. */
export type Inputs<N extends TaskName = TaskName> = TaskInput<N>[] | { count: number; input: TaskInput<N> };

/** What all items of a batch share. */
type Common<N extends TaskName> = { name: N; options: TaskActivityOptions } & AttemptOptions;

/** What a batch's workflow is started with. The sizes of its chunks, in order, make the number of inputs. */
export type BatchArguments<N extends TaskName = TaskName> = Common<N> & { inputs: Inputs<N>; chunkSizes: number[] };

/** What a chunk's workflow is started with; `first` is the index of its first item. */
export type ChunkArguments<N extends TaskName = TaskName> = Common<N> & { inputs: Inputs<N>; first: number };

/** What stands in a batch's memo: its start's words, and below what its workflow adds. */
export type BatchMemo = {
  chunkSizes: number[];
  submittedAt: string;
  fingerprint?: string;
  progress?: Counts;
  /** Of a cancelled batch, by index: the attempts of the items that were between two. */
  attempts?: Record<string, number>;
};
