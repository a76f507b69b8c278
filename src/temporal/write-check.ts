import type { Client } from '@temporalio/client';
import type { Config } from '../config/config.ts';
import { withDeadline } from './deadline.ts';
import { findGrpcError, isNotFound, TemporalRefused, TemporalUnavailable, toTemporalError } from './errors.ts';
import { TaskQueueType } from './payloads.ts';

/** How long the outcome of a write counts. `check` makes at most one write in this time. */
const recentMs = 5_000;

/**
 * Whether the error means that Temporal cannot write. A refusal, an existing execution and an unknown call do not mean
 * that.
 */
function isFailure(error: unknown): boolean {
  const known = toTemporalError(error);
  if (known instanceof TemporalUnavailable) return true;
  return findGrpcError(known) !== undefined && !(known instanceof TemporalRefused);
}

/**
 * Creates a check of whether Temporal accepts writes. It uses the outcomes of the starts that this process makes. If
 * there were none for 5 s, the check makes a write itself: it sets the rate limit of a task queue that no worker polls,
 * which appears in no list of workflows. It also reads a workflow that does not exist, because one service of Temporal
 * keeps task queues and another one keeps workflows.
 */
export function createWriteCheck(
  { workflowService }: Client,
  { temporal: { namespace }, taskQueue }: Pick<Config, 'temporal' | 'taskQueue'>,
  now = () => performance.now(),
) {
  let succeededAt = Number.NEGATIVE_INFINITY;
  let failed: { at: number; error: unknown } | undefined;
  let probing: Promise<void> | undefined;
  const isRecent = (at = Number.NEGATIVE_INFINITY) => now() - at < recentMs;

  /** Makes a write and remembers its outcome. */
  async function observe<T>(write: () => Promise<T>): Promise<T> {
    try {
      const result = await write();
      succeededAt = now();
      return result;
    } catch (error) {
      if (isFailure(error)) failed = { at: now(), error };
      throw error;
    }
  }

  const write = async () => {
    const probe = `${taskQueue}.ready`;
    const updateQueueRateLimit = { rateLimit: { requestsPerSecond: 1 }, reason: 'readiness of Holdfast' };
    await workflowService.updateTaskQueueConfig({
      namespace,
      taskQueue: probe,
      taskQueueType: TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
      updateQueueRateLimit,
    });
    await workflowService
      .describeWorkflowExecution({ namespace, execution: { workflowId: probe } })
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
  };
  const probe = async () => {
    try {
      await observe(() => withDeadline(write));
    } catch (error) {
      if (isFailure(error)) throw error;
      succeededAt = now();
    }
  };

  return {
    observe,
    /** @throws the error of the latest failed write, if no write within the last 5 s succeeded. */
    async check(): Promise<void> {
      if (isRecent(succeededAt)) return;
      if (failed && isRecent(failed.at)) throw failed.error;
      probing ??= probe().finally(() => {
        probing = undefined;
      });
      await probing;
    },
  };
}

export type WriteCheck = ReturnType<typeof createWriteCheck>;
