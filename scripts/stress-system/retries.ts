import { randomUUID } from 'node:crypto';
import type { Task } from '../../src/api/schemas.ts';
import { type Policy, toWaitMs } from '../../src/policy.ts';
import { type Check, expectThat, type Tools } from '../checks/check.ts';
import { toPercentiles } from '../checks/percentiles.ts';
import type { LedgerEntry } from '../joke-api/ledger.ts';
import { toCallsByTask } from './calls.ts';
import { submitAtOnce, untilAllFinished } from './load.ts';
import { needsJokeApi, type Target } from './target.ts';
import { expectToldJokes } from './told-jokes.ts';

const title = 'Retry Behavior Under Load';
const failingShare = 0.3;
/** With fewer, chance alone may leave out the failures. */
const smallestLoad = 50;

/** Clocks of two processes and whole milliseconds on the way. */
const earlyMs = 10;
/** A due attempt may find all slots taken and the machine busy; more than this is not lateness but another policy. */
const lateMs = 5_000;
/** Half of the retries after an attempt come sooner than this, or the policy was another one. */
const usuallyLateMs = 800;
/** The server's timers make about a second of any shorter wait. */
const shortestTimerMs = 1_000;
/** Fewer make no median. */
const fewest = 5;

/** A wait that was seen, after which failed attempt, and how much longer than the policy's it was. */
type Wait = { after: number; gapMs: number; lateMs: number };

/** Holds one task's calls to the policy, and gives its waits. */
function checkAttempts(task: Task, calls: LedgerEntry[], policy: Policy): Wait[] {
  const { id, status, attempt, failure } = task;
  const numbers = calls.map((call) => call.attempt);
  expectThat(
    numbers.every((number, index) => number === index + 1),
    `Task ${id} called the upstream as attempts ${numbers.join(', ')}`,
  );
  expectThat(calls.length === attempt, `Task ${id} says attempt ${attempt}, the upstream saw ${calls.length} calls`);
  expectThat(calls.length <= policy.maximumAttempts, `Task ${id} made ${calls.length} attempts`);
  const last = calls.at(-1)?.status;
  if (last === 200) expectThat(status === 'completed', `Task ${id} got its joke, but is ${status}`);
  else
    expectThat(
      status === 'failed' && failure?.reason === 'attempts-exhausted' && calls.length === policy.maximumAttempts,
      `Task ${id} ended ${status} (${failure?.reason}) after ${calls.length} attempts, the last answered ${last}`,
    );
  return calls.slice(1).map((call, index) => {
    const gap = call.startedAt - (calls[index]?.endedAt ?? Number.NaN);
    const wait = toWaitMs(policy, index + 1) ?? Number.NaN;
    const longest = Math.min(wait * (1 + policy.jitter), policy.maximumIntervalMs);
    expectThat(
      gap >= wait - earlyMs && gap <= longest + lateMs,
      `Task ${id} waited ${Math.round(gap)} ms after attempt ${index + 1}; the policy says ${wait} ms`,
    );
    return { after: index + 1, gapMs: gap, lateMs: Math.max(0, gap - Math.max(longest, shortestTimerMs)) };
  });
}

/** Tells the waits after each attempt beside the policy's, and holds the usual one to it. */
function checkUsualWaits(waits: Wait[], policy: Policy, say: Tools['say']) {
  for (let after = 1; after < policy.maximumAttempts; after += 1) {
    const those = waits.filter((wait) => wait.after === after);
    if (those.length === 0) continue;
    const { p50: gapMs, max } = toPercentiles(those.map((wait) => wait.gapMs));
    const usual = toPercentiles(those.map((wait) => wait.lateMs)).p50;
    const wait = toWaitMs(policy, after);
    say(`  After attempt ${after}: policy ${wait} ms, median ${gapMs} ms, longest ${max} ms (${those.length} waits)`);
    expectThat(
      those.length < fewest || usual <= usuallyLateMs,
      `The usual wait after attempt ${after} was ${gapMs} ms; the policy says ${wait} ms`,
    );
  }
}

/** With an upstream that fails 30 % of all calls every task ends, and each attempt follows the policy. */
export const retries: Check<Target> = {
  title,
  unavailable: (target) =>
    target.policy.nonRetryableErrorTypes.includes('UpstreamUnavailable')
      ? 'its NON_RETRYABLE_ERRORS has UpstreamUnavailable: nothing would be retried'
      : needsJokeApi(target),
  async run(target, tools) {
    const { holdfast, policy, record } = target;
    const count = Math.max(smallestLoad, target.tasks);
    const jokeApi = target.jokeApi as NonNullable<Target['jokeApi']>;
    const { say } = tools;
    const category = `stress-${randomUUID()}`;
    const rule = { when: { category }, then: [{ status: 503 }], repeat: true, ratio: failingShare, seed: category };
    say(`${count} tasks, the upstream failing ${failingShare * 100} % of all calls...`);
    const worstMs = Array.from({ length: policy.maximumAttempts }, (_, index) => toWaitMs(policy, index + 1) ?? 0);
    const withinMs = worstMs.reduce((sum, wait) => sum + wait * (1 + policy.jitter) + lateMs, 120_000);
    const finished = await jokeApi.withRules([rule], async () => {
      const { tasks, faults } = await submitAtOnce(target, { check: title, count, input: { category } }, tools);
      expectThat(faults.length === 0, `${faults.length} submissions were not accepted, first: ${faults[0]}`);
      return await untilAllFinished(holdfast, tasks, tools, withinMs);
    });
    const { items } = await jokeApi.ledger({ category });
    record.finished(title, finished, items);

    const calls = toCallsByTask(items);
    const waits = finished.flatMap((task) => checkAttempts(task, calls.get(task.id) ?? [], policy));
    const failed = items.filter(({ status }) => status !== 200).length;
    const share = (failed / items.length) * 100;
    say(`  Upstream calls: ${items.length}, failed: ${failed} (${share.toFixed(0)} %)`);
    for (let attempts = 1; attempts <= policy.maximumAttempts; attempts += 1)
      say(`  Ended on attempt ${attempts}: ${finished.filter(({ attempt }) => attempt === attempts).length}`);
    const completed = finished.filter(({ status }) => status === 'completed').length;
    say(`  Completed: ${completed}, failed after ${policy.maximumAttempts} attempts: ${count - completed}`);
    checkUsualWaits(waits, policy, say);
    // Four standard deviations: by chance alone one run in ten thousand is beyond.
    const chance = 400 * Math.sqrt((failingShare * (1 - failingShare)) / items.length);
    expectThat(
      waits.length > 0 && Math.abs(share - failingShare * 100) <= chance,
      `The upstream failed ${share.toFixed(0)} % of the calls, not about ${failingShare * 100} %: nothing is proved`,
    );
    await expectToldJokes(finished, items, jokeApi);
    return `All ${count} tasks ended, and ${waits.length} retries waited as the policy says`;
  },
};
