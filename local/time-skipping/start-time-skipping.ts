import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowBundleOption } from '@temporalio/worker';
import { type Environment, loadConfig } from '../../src/config/config.ts';
import { createWorkers } from '../../src/create-workers.ts';
import { toActivityOptions } from '../../src/policy.ts';
import type { TaskOutput } from '../../src/tasks.ts';
import { startJokeApi } from '../joke-api/create-joke-api.ts';
import { type Span, toGapsMs } from '../joke-api/ledger.ts';
import { watchedServer } from '../obtain/time-skipping-server.ts';
import { type Finished, type Trial, timeAttempts, toRootCause, type Watched } from './trial.ts';

type Options = {
  /** The time-skipping server's executable. */
  serverPath: string;
  workflowBundle: WorkflowBundleOption;
};

/** Higher than the number of trials of any caller, so that no attempt waits for a worker slot. */
const workerConcurrency = '1000';

type RunOptions = {
  signal: AbortSignal;
  /** Called with 0 when all trials have started. Then called after each trial with the number of ended trials. */
  finished?: (count: number) => void;
};

/**
 * Starts the time-skipping server. Tries twice, because the SDK waits only 5 s for the server, and Java may need longer
 * on a busy machine.
 */
export function createTimeSkippingEnvironment(serverPath: string): Promise<TestWorkflowEnvironment> {
  // The SDK's test environment has no option for its gRPC channels. They would dial loopback through `http_proxy`.
  process.env.no_grpc_proxy = '127.0.0.1';
  const create = () =>
    TestWorkflowEnvironment.createTimeSkipping({
      server: { executable: { type: 'existing-path', path: watchedServer }, extraArgs: [serverPath] },
    });
  return create().catch(create);
}

/**
 * Starts a time-skipping server, a worker and a joke API. The worker has the real workflows and activities, and calls
 * the joke API over real HTTP. The delays between attempts pass in virtual time.
 * Call `quietRuntime` first. Otherwise the SDK logs every failure.
 */
export async function startTimeSkipping({ serverPath, workflowBundle }: Options) {
  const environment = await createTimeSkippingEnvironment(serverPath);
  const jokes = await startJokeApi();
  const configOf = (variables: Environment) =>
    loadConfig({ API_BASE_URL: jokes.url, SHUTDOWN_GRACE: '0', WORKER_CONCURRENCY: workerConcurrency, ...variables });
  const watched = new Map<string, Watched>();

  const workers = await createWorkers(configOf({}), {
    connection: environment.nativeConnection,
    workflowBundle,
    record: () => {},
    interceptors: [timeAttempts(watched, () => environment.currentTimeMs())],
  });
  const drained = workers.run();

  /** Starts a task with a unique category. The joke API's rules and ledger identify the task by this category. */
  async function start({ variables = {}, behaviours = [], repeat = false, instead }: Trial) {
    const category = randomUUID();
    const { policy, taskQueue } = configOf(variables);
    const times: Span[] = [];
    const workflowId = `trial_fetch-joke_${category}`;
    if (behaviours.length > 0) jokes.rules.add({ when: { category }, then: behaviours, repeat });
    watched.set(workflowId, { policy, times, instead });
    const handle = await environment.client.workflow.start('fetch-joke', {
      workflowId,
      taskQueue,
      args: [{ input: { category }, options: toActivityOptions(policy), jitter: policy.jitter }],
    });
    /** Skips time until the task ends, and returns its output. Make it the last call for a task, one task at a time. */
    const result = (): Promise<TaskOutput<'fetch-joke'>> => handle.result();
    return {
      handle,
      category,
      result,
      /** Waits until the task has ended, with or without success. Returns its outcome, attempts and calls. */
      async finish(): Promise<Finished> {
        const [outcome] = await Promise.allSettled([result()]);
        return {
          output: outcome.status === 'fulfilled' ? outcome.value : undefined,
          failure: outcome.status === 'rejected' ? toRootCause(outcome.reason) : undefined,
          attempts: times,
          waits: toGapsMs(times).map((gapMs) => gapMs / 1_000),
          calls: jokes.ledger({ category }),
        };
      },
    };
  }

  return {
    jokes,
    start,
    /** Runs all trials at once. Returns how each ended, in the order of `trials`. Rejects when `signal` aborts. */
    async runAll(trials: Trial[], { signal, finished = () => {} }: RunOptions): Promise<Finished[]> {
      const started = await unlessAborted(Promise.all(trials.map(start)), signal);
      finished(0);
      const ends: Finished[] = [];
      for (const { finish } of started) finished(ends.push(await unlessAborted(finish(), signal)));
      return ends;
    },
    /** Ends the worker, the server and the joke API. Cancels attempts that are still running. */
    async stop() {
      workers.shutdown();
      await drained;
      await environment.teardown();
      await jokes.close();
    },
  };
}

export type TimeSkipping = Awaited<ReturnType<typeof startTimeSkipping>>;

/** Returns the result of `work`, or rejects as soon as `signal` aborts. `work` itself is not stopped. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const over = new AbortController();
  const aborted = once(signal, 'abort', { signal: over.signal }).then(() => Promise.reject(signal.reason));
  try {
    return await Promise.race([work, aborted]);
  } finally {
    over.abort();
  }
}
