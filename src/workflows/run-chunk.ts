import type { ChunkArguments, Counts } from '../contract.ts';
import { none } from '../slices/counts.ts';
import type { TaskInput, TaskName } from '../tasks.ts';
import { reportCounts } from './report-counts.ts';
import { runItem, toEnd, toList } from './run-item.ts';

/**
 * Runs some items of a batch. Each item is an activity, which is retried, fails and is cancelled independently of the
 * other items. Returns only counts. The outputs stay in the chunk's history, where the API reads them. A cancelled
 * chunk reports its counts before it ends.
 */
export async function runChunk<N extends TaskName>({
  name,
  options,
  first,
  inputs,
  ...attempt
}: ChunkArguments<N>): Promise<Counts> {
  const counts: Counts = { ...none };
  const reports = reportCounts(counts);
  const run = async (input: TaskInput<N>, index: number) => {
    counts[await toEnd(runItem({ name, options }, index, input, attempt))] += 1;
  };
  await Promise.all(toList(inputs).map((input, n) => run(input, first + n)));
  await reports.end();
  return counts;
}
