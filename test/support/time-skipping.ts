import { cancellationSignal } from '@temporalio/activity';
import { inject } from 'vitest';
import type { Behaviour } from '../../local/joke-api/behaviour.ts';
import { quietRuntime } from '../../local/time-skipping/quiet-runtime.ts';
import { startTimeSkipping as startServer } from '../../local/time-skipping/start-time-skipping.ts';
import type { Environment } from '../../src/config/config.ts';

/** Starts a time-skipping server, worker and joke API for one test file, from the shared binary and bundle. */
export async function startTimeSkipping() {
  quietRuntime();
  const skipping = await startServer({
    serverPath: inject('timeSkippingServer'),
    workflowBundle: { codePath: inject('workflowBundle') },
  });
  return {
    jokes: skipping.jokes,
    stop: skipping.stop,
    start: (variables: Environment, behaviours: Behaviour[], repeat = false) =>
      skipping.start({ variables, behaviours, repeat }),

    /** Runs one task under the policy of `variables`. The upstream follows `behaviours`. `waits` are in seconds. */
    async run(variables: Environment, behaviours: Behaviour[], repeat = false) {
      const { finish } = await skipping.start({ variables, behaviours, repeat });
      return await finish();
    },

    /** Runs a task whose activity keeps working but sends no heartbeat. */
    async runSilent(variables: Environment) {
      const instead = () => new Promise<never>((_, reject) => cancellationSignal().addEventListener('abort', reject));
      const { finish } = await skipping.start({ variables, instead });
      const { failure, attempts } = await finish();
      return { failure, calls: attempts.length };
    },
  };
}
