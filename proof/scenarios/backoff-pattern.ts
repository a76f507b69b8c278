import { type Check, expectThat } from '../checks/check.ts';
import { type Scene, toSetUp } from './scene.ts';
import { toStateText, untilTask } from './until.ts';
import { expectWaits, toWaitsSeconds } from './waits.ts';

const attempts = 6;
const inFull = { BASE_DELAY: '2', expected: [2, 4, 8, 16, 32] };
/** Temporal's timers are up to a second late. So with a base below 1 s, the first waits could all look alike. */
const scaledDown = { BASE_DELAY: '1', expected: [1, 2, 4, 8, 16] };

/** A task that always fails makes six attempts, and each wait is twice the wait before it. */
export const backoffPattern: Check<Scene> = {
  title: 'Exponential Backoff Pattern',
  async run(scene, { say, signal }) {
    const { expected, BASE_DELAY } = scene.fast ? scaledDown : inFull;
    const variables = { BASE_DELAY, MAX_ATTEMPTS: String(attempts) };
    say(`Set-up: Holdfast with ${toSetUp(variables, scene, { BASE_DELAY: inFull.BASE_DELAY })}`);
    say('        an upstream that answers 503 to every call');
    return await scene.withStack(variables, async ({ holdfast, jokeApi }) => {
      await jokeApi.addRule({ then: [{ status: 503 }], repeat: true });
      say(
        `Action: one task is submitted; its waits add up to ${expected.reduce((sum, wait) => sum + wait).toFixed(1)} s`,
      );
      const { id } = await holdfast.submit('fetch-joke');
      const task = await untilTask(
        holdfast,
        { id, wanted: 'failed', holds: ({ status }) => status === 'failed' },
        { signal, withinMs: 120_000 },
      );
      const { items: calls } = await jokeApi.ledger({ taskKey: id });
      say(`Observation: the upstream saw ${calls.length} calls, with these waits between them`);
      expectWaits(toWaitsSeconds(calls), expected, say);
      say(`  the task: ${toStateText(task)}, reason ${task.failure?.reason}`);
      expectThat(calls.length === attempts, `The upstream was called ${calls.length} times, not ${attempts}`);
      expectThat(
        task.attempt === attempts && task.failure?.reason === 'attempts-exhausted',
        `The task ended on attempt ${task.attempt} for the reason ${task.failure?.reason}`,
      );
      return `The waits follow the exponential pattern [${expected.join(', ')}] s, and attempt ${attempts} was the last`;
    });
  },
};
