import { activityInfo, getClient, log } from '@temporalio/activity';
import { type SliceSignalArguments, sliceSignal } from '../../contract.ts';
import { type Calls, toBytes } from './calls.ts';

/** The maximum size of a signal's outcomes as JSON. Four signals of 900 KiB in one workflow task would make it fail. */
const maximumBytes = 256 * 1024;

/**
 * Reports to the chunk that some calls of the current slice are slow. The report takes as many outcomes as fit from
 * `calls`. The slice keeps the others for its result, so the report names their items as running. If the report fails,
 * the slice keeps all. Returns false if the chunk no longer runs.
 */
export async function reportSlowCalls({ running, outcomes, toReport }: Calls): Promise<boolean> {
  const { workflowExecution: { workflowId, runId } = { workflowId: '', runId: '' }, activityId } = activityInfo();
  let bytes = 0;
  const sent = [...outcomes.values()].filter((outcome) => {
    bytes += toBytes(outcome);
    return bytes <= maximumBytes;
  });
  const kept = new Set([...outcomes.keys(), ...running.keys()]);
  for (const { index } of sent) kept.delete(index);
  try {
    await getClient()
      .workflow.getHandle(workflowId, runId)
      .signal<SliceSignalArguments>(sliceSignal, activityId, { ...toReport(sent), running: [...kept] });
    for (const { index } of sent) outcomes.delete(index);
    return true;
  } catch (error) {
    // The SDK exports the class of this error only to clients.
    if ((error as Error).name === 'WorkflowNotFoundError') return false;
    log.warn(`Slice ${workflowId} ${activityId}: the report of slow calls failed: ${(error as Error).message}`);
    return true;
  }
}
