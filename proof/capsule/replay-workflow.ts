import { Worker } from '@temporalio/worker';
import { loadWorkflowBundle } from '../../src/bundle-workflows.ts';
import type { Capsule } from './capsule.ts';

/**
 * Replays a capsule's history against this checkout's workflow code. Returns the first line of the error, or undefined
 * if the replay succeeds.
 */
export async function replayWorkflow({ history, taskId }: Capsule): Promise<string | undefined> {
  const workflowBundle = await loadWorkflowBundle();
  try {
    await Worker.runReplayHistory({ workflowBundle }, history, taskId);
    return undefined;
  } catch (error) {
    return (error as Error).message.split('\n')[0];
  }
}
