import type { WorkerOptions } from '@temporalio/worker';
import { confirmAttempts, watchSuspensions } from './activities/confirm-attempts.ts';
import { createActivities } from './activities/index.ts';
import { limitOutput } from './activities/limit-output.ts';
import { type AttemptRecord, observeAttempts } from './activities/observe.ts';
import type { Config } from './config/config.ts';

/**
 * If a worker is frozen or dies, the attempts that its open polls get are lost. The SDK's default is 10 open polls, so
 * one task could lose all its attempts to one frozen worker. The server says when more than one poll is useful.
 */
const asFewPollersAsNeeded = (slots: number) =>
  ({ type: 'autoscaling', minimum: 1, initial: 1, maximum: Math.min(10, slots) }) as const;

/** Returns the options of every Holdfast worker, in production and in tests. The caller adds the workflow code. */
export function toWorkerOptions(config: Config, record: (attempt: AttemptRecord) => void) {
  return {
    namespace: config.temporal.namespace,
    taskQueue: config.taskQueue,
    activities: createActivities(config),
    interceptors: { activity: [observeAttempts(record), confirmAttempts(watchSuspensions()), limitOutput] },
    maxConcurrentActivityTaskExecutions: config.workerConcurrency,
    activityTaskPollerBehavior: asFewPollersAsNeeded(config.workerConcurrency),
    shutdownGraceTime: config.shutdownGraceMs,
    shutdownForceTime: config.shutdownGraceMs + 5_000,
    // A workflow task waits this long for the worker that has cached its workflow. The default of 10 s would be too
    // long after a crash of that worker.
    stickyQueueScheduleToStartTimeout: 1_000,
  } satisfies WorkerOptions;
}
