import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createActivities } from '../../src/activities/index.ts';

type Upstream = Parameters<typeof createActivities>[0];

/**
 * Creates the activities once, as a worker does. Each call of the returned function runs one attempt of fetch-joke, and
 * returns the joke, or the failure's type and message.
 */
export function createAttempts(upstream: Upstream) {
  const activities = createActivities(upstream);
  return async ({ timeoutMs = 10_000, category = undefined as string | undefined } = {}): Promise<string> => {
    const environment = new MockActivityEnvironment(
      { startToCloseTimeoutMs: timeoutMs },
      { logger: new DefaultLogger('ERROR') },
    );
    const input = category === undefined ? {} : { category };
    try {
      const output: { joke: string } = await environment.run(activities['fetch-joke'], input, { jitter: 0 });
      return output.joke;
    } catch (error) {
      if (!(error instanceof ApplicationFailure)) throw error;
      return `${error.type}: ${error.message}`;
    }
  };
}
