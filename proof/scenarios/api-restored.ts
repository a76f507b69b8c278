import { findFreePort } from '../../local/processes/ports.ts';
import type { Stack } from '../../local/stack/start-stack.ts';
import { type Check, expectThat, type Tools } from '../checks/check.ts';
import { type Scene, toSetUp } from './scene.ts';
import { toStateText, untilCompleted, untilTask } from './until.ts';
import { expectWaits, toWaitsSeconds } from './waits.ts';

const inFull = { BASE_DELAY: '2', expected: [2, 4, 8, 16] };
const scaledDown = { BASE_DELAY: '0.5', expected: [0.5, 1, 2, 4] };

/** The upstream is restored before this attempt, after two attempts have failed. */
const restoredAtAttempt = 3;

const untilRetrying = ({ holdfast }: Stack, id: string, signal: AbortSignal) =>
  untilTask(
    holdfast,
    {
      id,
      wanted: `retrying with attempt ${restoredAtAttempt}`,
      holds: ({ status, attempt }) => status === 'retrying' && attempt >= restoredAtAttempt,
    },
    { signal },
  );

/** The upstream first answers 503. After it is mended, it answers correctly. */
async function mendUpstream(stack: Stack, expected: number[], { say, signal }: Tools): Promise<void> {
  const { holdfast, jokeApi } = stack;
  const rule = await jokeApi.addRule({ then: [{ status: 503 }], repeat: true });
  say('Action: a task is submitted while the upstream answers 503; the upstream is mended while the task is retrying');
  const { id } = await holdfast.submit('fetch-joke');
  const before = await untilRetrying(stack, id, signal);
  await jokeApi.removeRule(rule);
  const task = await untilCompleted(holdfast, id, { signal });
  const { items: calls } = await jokeApi.ledger({ taskKey: id });
  say(`Observation: ${toStateText(before)}; mended; ${toStateText(task)}`);
  say(`  the upstream answered ${calls.map(({ status }) => status).join(', ')}`);
  expectWaits(toWaitsSeconds(calls), expected.slice(0, calls.length - 1), say);
  const failed = calls.slice(0, -1);
  expectThat(
    before.lastFailure?.type === 'UpstreamUnavailable',
    `While the task was retrying, its failure was ${before.lastFailure?.type}`,
  );
  expectThat(
    failed.every(({ status }) => status === 503) && calls.at(-1)?.status === 200,
    'A call before the last was not answered 503, or the last one did not succeed',
  );
  expectThat(
    task.attempt === calls.length && task.attempt >= restoredAtAttempt,
    `The task completed on attempt ${task.attempt} after ${calls.length} calls`,
  );
}

/** Holdfast starts with a wrong upstream address, stops, and starts with the right one. */
async function mendAddress(stack: Stack, wrongUrl: string, { say, signal }: Tools): Promise<void> {
  const { holdfast, jokeApi } = stack;
  say(`Action: a task is submitted; while it is retrying, Holdfast is stopped and started with the right API_BASE_URL`);
  const { id, submittedAt } = await holdfast.submit('fetch-joke');
  const before = await untilRetrying(stack, id, signal);
  await stack.end('SIGTERM');
  await stack.start({ API_BASE_URL: jokeApi.url });
  const task = await untilCompleted(holdfast, id, { signal });
  const { items: calls } = await jokeApi.ledger({ taskKey: id });
  say(`Observation: ${toStateText(before)} at ${wrongUrl}; restarted; ${toStateText(task)}`);
  say(`  the right upstream was called in attempt ${calls.map(({ attempt }) => attempt).join(', ')}`);
  expectThat(
    before.lastFailure?.type === 'UpstreamUnreachable',
    `While the task was retrying, its failure was ${before.lastFailure?.type}`,
  );
  expectThat(task.submittedAt === submittedAt, 'The completed task is not the one that was submitted');
  expectThat(
    task.attempt >= before.attempt && calls.length === 1 && calls[0]?.attempt === task.attempt,
    `The count of attempts did not continue: ${before.attempt} was next, the task completed on attempt ${task.attempt}`,
  );
}

/** One task survives a broken upstream. Another task survives a Holdfast with a wrong upstream address. */
export const apiRestored: Check<Scene> = {
  title: 'Retry on API Failure, Success Once It Is Restored',
  async run(scene, tools) {
    const { say } = tools;
    const { expected, BASE_DELAY } = scene.fast ? scaledDown : inFull;
    const setUp = toSetUp({ BASE_DELAY }, scene, { BASE_DELAY: inFull.BASE_DELAY });
    say(`Set-up: Holdfast with ${setUp}`);
    await scene.withStack({ BASE_DELAY }, (stack) => mendUpstream(stack, expected, tools));

    const wrongUrl = `http://127.0.0.1:${await findFreePort()}`;
    say(`\nSet-up: Holdfast with ${setUp} and a wrong API_BASE_URL, ${wrongUrl}: a port where nothing listens`);
    await scene.withStack({ BASE_DELAY, API_BASE_URL: wrongUrl }, (stack) => mendAddress(stack, wrongUrl, tools));
    return 'A retrying task succeeded after the API was mended, and another after a restart with the right address';
  },
};
