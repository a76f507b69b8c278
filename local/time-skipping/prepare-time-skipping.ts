import type { Say } from '../../cli/progress.ts';
import { SetupError } from '../../cli/setup-error.ts';
import { loadWorkflowBundle } from '../../src/bundle-workflows.ts';
import { ConfigError, loadEnvironment } from '../../src/config/config.ts';
import { obtainTimeSkippingServer } from '../obtain/time-skipping-server.ts';
import { quietRuntime } from './quiet-runtime.ts';
import { startTimeSkipping } from './start-time-skipping.ts';

function readServerPath(): string | undefined {
  try {
    return loadEnvironment().TEMPORAL_TEST_SERVER_PATH || undefined;
  } catch (error) {
    throw error instanceof ConfigError ? new SetupError(error.message) : error;
  }
}

/**
 * Obtains the time-skipping server (downloads it the first time) and starts it with a worker that runs our workflows.
 * Also silences the SDK's logs.
 * @throws {SetupError} if no server can be obtained. The message says what to install.
 */
export async function prepareTimeSkipping({ say, signal }: { say: Say; signal: AbortSignal }) {
  quietRuntime();
  const { path } = await obtainTimeSkippingServer({ explicitPath: readServerPath(), say, signal });
  const workflowBundle = await loadWorkflowBundle();
  signal.throwIfAborted();
  return await startTimeSkipping({ serverPath: path, workflowBundle });
}
