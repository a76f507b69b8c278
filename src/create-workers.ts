import {
  type ActivityInterceptorsFactory,
  type NativeConnection,
  Worker,
  type WorkflowBundleOption,
} from '@temporalio/worker';
import { createActivities } from './activities/index.ts';
import { confirmAttempts, createConfirm, watchSuspensions } from './activities/interceptors/confirm-attempts.ts';
import { limitOutput } from './activities/interceptors/limit-output.ts';
import { takePlaces } from './activities/interceptors/take-places.ts';
import { type AttemptRecord, observeAttempts } from './activities/observe.ts';
import { createPlaces } from './activities/places.ts';
import { createAttemptItems } from './activities/slices/attempt-items.ts';
import { logSlices } from './activities/slices/log-slices.ts';
import { createRunItem } from './activities/slices/run-item.ts';
import type { Config } from './config/config.ts';
import { sliceType, toSliceQueue } from './contract.ts';

/**
 * If a worker is frozen or dies, the attempts that its open polls get are lost. The SDK's default is 10 open polls, so
 * one task could lose all its attempts to one frozen worker. The server says when more than one poll is useful.
 */
const toSlots = (slots: number) => ({
  maxConcurrentActivityTaskExecutions: slots,
  activityTaskPollerBehavior: { type: 'autoscaling', minimum: 1, initial: 1, maximum: Math.min(10, slots) } as const,
});

type Options = {
  connection: NativeConnection;
  workflowBundle: WorkflowBundleOption;
  /** Gets every ended attempt. */
  record: (attempt: AttemptRecord) => void;
  /** More interceptors, inside those of Holdfast. */
  interceptors?: ActivityInterceptorsFactory[];
};

/**
 * Creates the two workers of a process, in production and in tests. One runs workflows and single attempts, the other
 * runs slices, which have a task queue of their own. Together they make at most `workerConcurrency` calls at once.
 */
export async function createWorkers(
  config: Config,
  { connection, workflowBundle, record, interceptors = [] }: Options,
) {
  const concurrency = config.workerConcurrency;
  const activities = createActivities(config);
  const places = createPlaces(concurrency);
  const confirm = createConfirm(watchSuspensions());
  const stopping = new AbortController();
  const observe = observeAttempts(record);
  const common = {
    connection,
    namespace: config.temporal.namespace,
    shutdownGraceTime: config.shutdownGraceMs,
    shutdownForceTime: config.shutdownGraceMs + 5_000,
  };
  const singles = await Worker.create({
    ...common,
    ...toSlots(concurrency),
    taskQueue: config.taskQueue,
    workflowBundle,
    activities,
    interceptors: {
      activity: [observe, takePlaces(places), confirmAttempts(confirm), limitOutput, ...interceptors],
    },
    // A cached workflow takes about 60 KiB. A workflow that has left the cache is replayed at its next event. The SDK's
    // default depends on the largest heap that V8 allows, and is 2,000 or more.
    maxCachedWorkflows: 500,
    // A workflow task waits this long for the worker that has cached its workflow. The default of 10 s would be too
    // long after a crash of that worker.
    stickyQueueScheduleToStartTimeout: 1_000,
  });
  const runItem = createRunItem(activities, [observe().inbound, limitOutput().inbound]);
  const slices = await Worker.create({
    ...common,
    // A slice with slow calls keeps its slot. The other slots are for slices that can begin calls.
    ...toSlots(2 * concurrency),
    taskQueue: toSliceQueue(config.taskQueue),
    activities: { [sliceType]: createAttemptItems({ runItem, places, confirm, stopping: stopping.signal }) },
    interceptors: { activity: [logSlices] },
  }).catch(async (error: unknown) => {
    // A worker keeps its connection open until it has run and stopped.
    await singles.runUntil(async () => {}).catch(() => {});
    throw error;
  });
  const both = [singles, slices];
  return {
    /** Runs both until `shutdown`. Rejects if one fails. */
    async run(): Promise<void> {
      await Promise.all(both.map((worker) => worker.run()));
    },
    readFreePlaces: places.readFree,
    isRunning: () => both.every((worker) => worker.getState() === 'RUNNING'),
    shutdown(): void {
      stopping.abort();
      for (const worker of both) if (worker.getState() === 'RUNNING') worker.shutdown();
    },
  };
}

export type Workers = Awaited<ReturnType<typeof createWorkers>>;
