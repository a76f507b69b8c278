import { randomUUID } from 'node:crypto';
import { activityInfo, cancellationSignal } from '@temporalio/activity';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { inject } from 'vitest';
import type { Behaviour } from '../../scripts/joke-api/behaviour.ts';
import { startJokeApi } from '../../scripts/joke-api/create-joke-api.ts';
import { type Environment, loadConfig } from '../../src/config.ts';
import { toActivityOptions } from '../../src/policy.ts';
import type { TaskActivities } from '../../src/tasks.ts';
import { toWorkerOptions } from '../../src/worker-options.ts';
import { quietRuntime } from './holdfast.ts';

/**
 * The real workflow, activity and policy on the time-skipping server, with the joke API as upstream over real HTTP.
 * Waits between attempts pass in virtual time and are read from the server's clock as each attempt starts.
 */
export async function startTimeSkipping() {
  quietRuntime();
  const environment = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path: inject('timeSkippingServer') } },
  });
  const jokes = await startJokeApi();

  /** Starts one task under the policy of `variables`, the upstream behaving as told; `waits` are in seconds. */
  async function start(variables: Environment, behaviours: Behaviour[], repeat = false, activities?: TaskActivities) {
    const category = randomUUID();
    if (behaviours.length > 0) jokes.rules.add({ when: { category }, then: behaviours, repeat });
    const config = loadConfig({ TASK_QUEUE: category, API_BASE_URL: jokes.url, SHUTDOWN_GRACE: '0', ...variables });
    const startedAt: number[] = [];
    const options = toWorkerOptions(config, () => {});
    const worker = await Worker.create({
      ...options,
      ...(activities && { activities }),
      connection: environment.nativeConnection,
      workflowBundle: { codePath: inject('workflowBundle') },
      interceptors: {
        activity: [
          ...options.interceptors.activity,
          () => ({
            inbound: {
              execute: async (input, next) => {
                startedAt.push(await environment.currentTimeMs());
                // The real server hands the policy over with each attempt, this one does not.
                Object.assign(activityInfo(), { retryPolicy: toActivityOptions(config.policy).retry });
                return await next(input);
              },
            },
          }),
        ],
      },
    });
    const running = worker.run();
    const handle = await environment.client.workflow.start('fetch-joke', {
      workflowId: `test_fetch-joke_${category}`,
      taskQueue: config.taskQueue,
      args: [{ input: { category }, options: toActivityOptions(config.policy), jitter: config.policy.jitter }],
    });
    /** From here on time is skipped; so a test asks for it when all else that it wants to do is done. */
    const result = () =>
      handle.result().finally(async () => {
        worker.shutdown();
        await running;
      });
    return { handle, result, startedAt, category };
  }

  async function run(variables: Environment, behaviours: Behaviour[], repeat = false) {
    const { result, startedAt, category } = await start(variables, behaviours, repeat);
    const [outcome] = await Promise.allSettled([result()]);
    return {
      output: outcome.status === 'fulfilled' ? (outcome.value as { joke: string }) : undefined,
      failure: outcome.status === 'rejected' ? toRootCause(outcome.reason) : undefined,
      waits: startedAt.slice(1).map((at, index) => (at - (startedAt[index] ?? 0)) / 1_000),
      calls: jokes.ledger({ category }),
    };
  }

  /** Runs a task whose activity falls silent: it works on, but no heartbeat comes. */
  async function runSilent(variables: Environment) {
    let calls = 0;
    const silent = async () => {
      calls += 1;
      return await new Promise<never>((_, reject) => cancellationSignal().addEventListener('abort', reject));
    };
    const { result } = await start(variables, [], false, { 'fetch-joke': silent });
    const [outcome] = await Promise.allSettled([result()]);
    return { failure: outcome.status === 'rejected' ? toRootCause(outcome.reason) : undefined, calls };
  }

  return {
    jokes,
    runSilent,
    start,
    run,
    async stop() {
      await environment.teardown();
      await jokes.close();
    },
  };
}

type Cause = { cause?: Cause; retryState?: string; type?: string; timeoutType?: string; name?: string };

/** The failure at the bottom of WorkflowFailedError > ActivityFailure > cause, and why no further attempt was made. */
export function toRootCause(error: Cause): { type: string | undefined; retryState?: string } {
  const type = error.type ?? error.timeoutType ?? error.name;
  const root = error.cause && !error.timeoutType ? toRootCause(error.cause) : { type };
  return error.retryState ? { ...root, retryState: error.retryState } : root;
}
