import { randomInt } from 'node:crypto';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { toHiddenAddress } from '../loopback.ts';
import type { Logger } from './log.ts';
import { failingTaskMessage } from './workflow-tasks.ts';

/** How many random ports are tried. A try fails only if another process uses the port. */
const maximumTries = 20;

type OnTaskFailure = (run: { runId?: unknown; failure?: unknown }) => void;

/** Returns a logger for the SDK. It passes failed workflow tasks to `onTaskFailure`, and other lines to `log`. */
export const toSdkLogger = (log: Logger, onTaskFailure?: OnTaskFailure) =>
  new DefaultLogger('TRACE', ({ level, message, meta }) => {
    if (onTaskFailure && message === failingTaskMessage) return onTaskFailure(meta ?? {});
    const method = isChatter(level, message, meta) ? 'debug' : (level.toLowerCase() as 'info');
    const { workflowId, activityId, activityType, attempt, error } = meta ?? {};
    // A standalone activity has no workflow. Its id is the id of the task.
    const id = workflowId === undefined ? { activityId } : { workflowId };
    log[method]({ ...id, activityType, attempt, err: error }, message);
  });

/**
 * Installs the SDK's runtime, which logs to `log` and serves metrics. Returns the URL of the metrics. Their server
 * answers every request, so it gets an address that web pages cannot guess.
 *
 * With port 0, the SDK would not say which port it got. So this function picks a random port, and another one if the
 * SDK cannot bind the first. The random ports are below the ephemeral range (from 32768 on Linux, from 49152
 * elsewhere), so no outgoing connection uses them.
 */
export function installRuntime(log: Logger, onTaskFailure?: OnTaskFailure): string {
  const logger = toSdkLogger(log, onTaskFailure);
  const host = toHiddenAddress();
  for (let tries = 1; ; tries += 1) {
    const port = randomInt(20_000, 32_768);
    const metrics = { prometheus: { bindAddress: `${host}:${port}` } };
    // Without `forward`, the native part of the SDK prints to stdout.
    const telemetryOptions = { metrics, logging: { forward: {} } };
    try {
      Runtime.install({ shutdownSignals: [], logger, telemetryOptions });
      return `http://${host}:${port}/metrics`;
    } catch (error) {
      if (tries === maximumTries) throw error;
    }
  }
}

/**
 * Log lines of the SDK about failures that we log ourselves, or that only concern the end of a worker. The worker of
 * slices has no workflows.
 */
const repeats =
  /^(Activity failed|Workflow failed|No workflows registered.*|Network error while describing namespace .*|shutdown_worker rpc errored .*)$/s;

/** Whether a log line is about the SDK's progress, or is one of these lines. */
const isChatter = (level: string, message: string, meta: { sdkComponent?: string } | undefined) =>
  repeats.test(message) || (level === 'INFO' && meta?.sdkComponent !== 'activity');
