import type { Stack } from '../../local/stack/start-stack.ts';
import { type Check, expectThat } from '../checks/check.ts';
import { type Scene, toSetUp } from './scene.ts';
import { toSeconds, toStateText, untilCompleted, untilFound, untilTask } from './until.ts';
import { holdsWait, toWaitsSeconds } from './waits.ts';

/**
 * All times are in seconds. An attempt's own deadline is shorter than the job timeout by 10 %, but by at most 0.5 s.
 */
const inFull = { jobTimeout: 5, deadline: 4.5, wait: 2 };
const scaledDown = { jobTimeout: 3, deadline: 2.7, wait: 0.5 };
const toVariables = ({ jobTimeout, wait }: typeof inFull) => ({
  JOB_TIMEOUT: String(jobTimeout),
  BASE_DELAY: String(wait),
});

const hangs = { headers: 'before the headers', body: 'in the middle of the body' } as const;
type Hang = keyof typeof hangs;

/** Runs one task whose first call hangs, and returns a line that says what was seen. */
async function hangOnce({ holdfast, jokeApi }: Stack, hang: Hang, timing: typeof inFull, signal: AbortSignal) {
  const category = `hang-${hang}`;
  await jokeApi.addRule({ when: { category, attempt: 1 }, then: [{ hang }], repeat: true });
  const { id } = await holdfast.submit('fetch-joke', { category });
  const holds = ({ status, attempt }: { status: string; attempt: number }) => status === 'retrying' && attempt === 2;
  const retrying = await untilTask(
    holdfast,
    { id, wanted: 'retrying', holds },
    { signal, withinMs: (timing.jobTimeout + 15) * 1_000 },
  );
  const task = await untilCompleted(holdfast, id, { signal });
  const calls = await untilFound(
    () => 'The ledger did not show the end of each call',
    async () => {
      const { items } = await jokeApi.ledger({ taskKey: id });
      return items.every(({ endedAt }) => endedAt !== null) ? items : undefined;
    },
    { signal },
  );
  const [first] = calls;
  const heldMs = (first?.endedAt ?? Number.NaN) - (first?.startedAt ?? Number.NaN);
  const [waited = Number.NaN] = toWaitsSeconds(calls);
  const seen = `${hangs[hang]}: ended after ${toSeconds(heldMs)} (${first?.outcome}), ${toStateText(retrying)}, next attempt after ${waited.toFixed(2)} s, ${toStateText(task)}`;
  expectThat(
    first?.outcome === 'hung' && heldMs <= timing.jobTimeout * 1_000,
    `The hanging call was not ended within ${timing.jobTimeout} s: ${seen}`,
  );
  expectThat(heldMs >= (timing.deadline - 0.3) * 1_000, `The call was ended long before its deadline: ${seen}`);
  expectThat(retrying.lastFailure?.type === 'UpstreamTimeout', `The failure is not UpstreamTimeout: ${seen}`);
  expectThat(holdsWait(waited, timing.wait), `The wait was not ${timing.wait} s: ${seen}`);
  expectThat(task.attempt === 2 && calls.length === 2, `The task did not complete on attempt 2: ${seen}`);
  return seen;
}

/** A hanging upstream blocks an attempt no longer than JOB_TIMEOUT, and another attempt follows. */
export const jobTimeout: Check<Scene> = {
  title: 'Job Timeout',
  async run(scene, { say, signal }) {
    const timing = scene.fast ? scaledDown : inFull;
    const variables = toVariables(timing);
    say(`Set-up: Holdfast with ${toSetUp(variables, scene, toVariables(inFull))}`);
    say('        an upstream whose answers to first attempts never end');
    return await scene.withStack(variables, async (stack) => {
      say('Action: two tasks are submitted; one call hangs before its headers, one in the middle of its body');
      const seen = await Promise.all(
        (Object.keys(hangs) as Hang[]).map((hang) => hangOnce(stack, hang, timing, signal)),
      );
      say('Observation: the hanging calls, as the upstream saw them');
      for (const line of seen) say(`  ${line}`);
      return `Hanging calls were ended within ${timing.jobTimeout} s and tried again after ${timing.wait} s`;
    });
  },
};
