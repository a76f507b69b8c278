import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import type { Capsule } from './capsule.ts';

/**
 * Replays a capsule's history against this checkout's workflow code. Returns the first line of the error, or undefined
 * if the replay succeeds.
 */
export async function replayWorkflow({ history, taskId }: Capsule): Promise<string | undefined> {
  const workflowBundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../../src/workflows/index.ts', import.meta.url)),
    logger: new DefaultLogger('WARN'),
  });
  try {
    await Worker.runReplayHistory({ workflowBundle }, history, taskId);
    return undefined;
  } catch (error) {
    return (error as Error).message.split('\n')[0];
  }
}
