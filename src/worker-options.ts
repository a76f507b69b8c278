import type { WorkerOptions } from '@temporalio/worker';
import { createActivities } from './activities/index.ts';
import { limitOutput } from './activities/limit-output.ts';
import { type AttemptRecord, observeAttempts } from './activities/observe.ts';
import type { Config } from './config/config.ts';

/** How every Holdfast worker runs, in production and in tests; where its workflow code lies the caller adds. */
export function toWorkerOptions(config: Config, record: (attempt: AttemptRecord) => void) {
  return {
    namespace: config.temporal.namespace,
    taskQueue: config.taskQueue,
    activities: createActivities(config),
    interceptors: { activity: [observeAttempts(record), limitOutput] },
    maxConcurrentActivityTaskExecutions: config.workerConcurrency,
    shutdownGraceTime: config.shutdownGraceMs,
    shutdownForceTime: config.shutdownGraceMs + 5_000,
    // The dead worker's sticky queue would hold a workflow for 10 s; and recovery is promised 2 s after heartbeat and wait.
    stickyQueueScheduleToStartTimeout: 1_000,
  } satisfies WorkerOptions;
}
