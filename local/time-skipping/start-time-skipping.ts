import { randomUUID } from 'node:crypto';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker, type WorkerOptions } from '@temporalio/worker';
import { type Environment, loadConfig } from '../../src/config/config.ts';
import { type Policy, toActivityOptions } from '../../src/policy.ts';
import type { TaskOutput } from '../../src/tasks.ts';
import { toWorkerOptions } from '../../src/worker-options.ts';
import type { Behaviour } from '../joke-api/behaviour.ts';
import { startJokeApi } from '../joke-api/create-joke-api.ts';
import type { LedgerEntry } from '../joke-api/ledger.ts';
import { type RootCause, toRootCause } from './root-cause.ts';
import { type AttemptTimes, timeAttempts } from './time-attempts.ts';
import { unlessAborted } from './unless-aborted.ts';
import { watchedServer } from './watched-server.ts';

/** One task, and the world it meets. */
export type Trial = {
  /** Variables about trying, over Holdfast's defaults: `{ MAX_ATTEMPTS: '3' }`. */
  variables?: Environment;
  /** How the upstream answers, call by call; well when these are used up, or like the last of them with `repeat`. */
  behaviours?: Behaviour[];
  repeat?: boolean;
  /** What each attempt does instead of the real activity. */
  instead?: () => Promise<never>;
};

/** How a task ended, and what was seen of it meanwhile. */
export type Finished = {
  output: TaskOutput<'fetch-joke'> | undefined;
  failure: RootCause | undefined;
  attempts: AttemptTimes[];
  /** In seconds, from the end of each attempt to the start of the next, by the server's clock. */
  waits: number[];
  calls: LedgerEntry[];
};

type Options = {
  /** The time-skipping server's executable. */
  serverPath: string;
  workflowBundle: NonNullable<WorkerOptions['workflowBundle']>;
};

/** More than any trial runs at once: none waits for a slot. */
const workerConcurrency = '1000';

type RunOptions = {
  signal: AbortSignal;
  /** Hears 0 when all have been started, then how many have ended. */
  finished?: (count: number) => void;
};

/**
 * The real workflow, activity and policy on the time-skipping server, with the joke API as upstream over real HTTP. Waits
 * between attempts pass in virtual time. `quietRuntime` first, or the SDK tells every failure.
 */
export async function startTimeSkipping({ serverPath, workflowBundle }: Options) {
  const environment = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path: watchedServer }, extraArgs: [serverPath] },
  });
  const jokes = await startJokeApi();
  const configOf = (variables: Environment) =>
    loadConfig({ API_BASE_URL: jokes.url, SHUTDOWN_GRACE: '0', WORKER_CONCURRENCY: workerConcurrency, ...variables });
  const watched = new Map<string, { policy: Policy; times: AttemptTimes[]; instead: Trial['instead'] }>();

  const options = toWorkerOptions(configOf({}), () => {});
  const worker = await Worker.create({
    ...options,
    namespace: environment.client.options.namespace,
    connection: environment.nativeConnection,
    workflowBundle,
    interceptors: {
      activity: [...options.interceptors.activity, timeAttempts(watched, () => environment.currentTimeMs())],
    },
  });
  const drained = worker.run();

  /** Starts a task; `category` names it to the joke API's rules and ledger. */
  async function start({ variables = {}, behaviours = [], repeat = false, instead }: Trial) {
    const category = randomUUID();
    const { policy, taskQueue } = configOf(variables);
    const times: AttemptTimes[] = [];
    const workflowId = `trial_fetch-joke_${category}`;
    if (behaviours.length > 0) jokes.rules.add({ when: { category }, then: behaviours, repeat });
    watched.set(workflowId, { policy, times, instead });
    const handle = await environment.client.workflow.start('fetch-joke', {
      workflowId,
      taskQueue,
      args: [{ input: { category }, options: toActivityOptions(policy), jitter: policy.jitter }],
    });
    /** Time is skipped from here until the task ends: ask when all else is done, and of one task at a time. */
    const result = (): Promise<TaskOutput<'fetch-joke'>> => handle.result();
    return {
      handle,
      category,
      result,
      /** Awaits the result, whatever it is, and tells all that is known of the task. */
      async finish(): Promise<Finished> {
        const [outcome] = await Promise.allSettled([result()]);
        return {
          output: outcome.status === 'fulfilled' ? outcome.value : undefined,
          failure: outcome.status === 'rejected' ? toRootCause(outcome.reason) : undefined,
          attempts: times,
          waits: times.slice(1).map(({ startedAtMs }, index) => (startedAtMs - (times[index]?.endedAtMs ?? 0)) / 1_000),
          calls: jokes.ledger({ category }),
        };
      },
    };
  }

  return {
    jokes,
    start,
    /** Runs all of them at the same time. Rejects as soon as `signal` aborts. */
    async runAll(trials: Trial[], { signal, finished = () => {} }: RunOptions): Promise<Finished[]> {
      const started = await unlessAborted(Promise.all(trials.map(start)), signal);
      finished(0);
      const ends: Finished[] = [];
      for (const { finish } of started) finished(ends.push(await unlessAborted(finish(), signal)));
      return ends;
    },
    /** Ends worker, server and joke API; attempts that still run are cancelled. */
    async stop() {
      worker.shutdown();
      await drained;
      await environment.teardown();
      await jokes.close();
    },
  };
}

export type TimeSkipping = Awaited<ReturnType<typeof startTimeSkipping>>;
