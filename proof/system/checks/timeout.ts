import { toGapsMs } from '../../../local/joke-api/ledger.ts';
import { toDeadlineMs } from '../../../src/policy.ts';
import { type Check, expectThat } from '../../checks/check.ts';
import { earlyMs } from '../calls.ts';
import { untilFinished } from '../load.ts';
import type { Target } from '../target/target.ts';

const title = 'Job Timeout Protection';
const jobTimeoutSeconds = 5;
const retryWaitMs = 2_000;
/** On a busy machine, a measured time may be wrong by up to this much. */
const slackMs = 1_000;

/** The limit for a hanging attempt, a wait and another attempt together, on a busy machine. */
const longestMs = 20_000;

const hangs = ['headers', 'body'] as const;

/** A hanging upstream blocks an attempt no longer than JOB_TIMEOUT, and another attempt follows. */
export const jobTimeout: Check<Target> = {
  title,
  async run({ withOwnStack }, tools) {
    const { say } = tools;
    say(`A stack of its own with JOB_TIMEOUT=${jobTimeoutSeconds}, and an upstream that hangs on each first call...`);
    // A hanging attempt must not delay the end of a failed check by the default grace of 30 s.
    const environment = { JOB_TIMEOUT: String(jobTimeoutSeconds), SHUTDOWN_GRACE: '1' };
    return await withOwnStack(environment, async ({ holdfast, jokeApi }) => {
      for (const hang of hangs)
        await jokeApi.addRule({ when: { category: `hang-${hang}`, attempt: 1 }, then: [{ hang }], repeat: true });
      const tasks = await Promise.all(hangs.map((hang) => holdfast.submit('fetch-joke', { category: `hang-${hang}` })));
      const finished = await Promise.all(tasks.map(({ id }) => untilFinished(holdfast, id, longestMs)));
      for (const [index, hang] of hangs.entries()) {
        const task = finished[index];
        const { items } = await jokeApi.ledger({ category: `hang-${hang}` });
        const [first] = items;
        const heldMs = (first?.endedAt ?? Number.NaN) - (first?.startedAt ?? 0);
        const [waitMs = Number.NaN] = toGapsMs(items);
        const seconds = (ms: number) => `${(ms / 1_000).toFixed(2)}s`;
        say(
          `  Hanging in the ${hang}: attempt 1 held ${seconds(heldMs)}, next attempt after ${seconds(waitMs)}, then ${task?.status}`,
        );
        const timeoutMs = jobTimeoutSeconds * 1_000;
        expectThat(
          heldMs >= toDeadlineMs(timeoutMs) - slackMs && heldMs <= timeoutMs + slackMs,
          `The hanging attempt was held ${seconds(heldMs)}, JOB_TIMEOUT is ${jobTimeoutSeconds} s`,
        );
        expectThat(first?.outcome === 'hung', `The first call ended as ${first?.outcome}, not as hung`);
        expectThat(
          waitMs >= retryWaitMs - earlyMs && waitMs <= retryWaitMs + timeoutMs - toDeadlineMs(timeoutMs) + slackMs,
          `The next attempt came after ${seconds(waitMs)}, the policy says ${seconds(retryWaitMs)}`,
        );
        expectThat(
          task?.status === 'completed' && task.attempt === 2 && items.length === 2,
          `The task ended ${task?.status} on attempt ${task?.attempt} with ${items.length} upstream calls`,
        );
      }
      return `Hanging attempts ended within ${jobTimeoutSeconds} s and were tried again`;
    });
  },
};
