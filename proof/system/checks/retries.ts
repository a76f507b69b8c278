import { randomUUID } from 'node:crypto';
import { toWaitMs } from '../../../src/policy.ts';
import { type Check, expectThat } from '../../checks/check.ts';
import { checkAttempts, checkUsualWaits, lateMs } from '../attempts.ts';
import { expectOwnJokes, toCallsByTask } from '../calls.ts';
import { submitAtOnce, untilAllFinished } from '../load.ts';
import { expectAnnounced, watchRetrying } from '../retrying.ts';
import { needsJokeApi, type Target } from '../target/target.ts';

const title = 'Retry Behavior Under Load';
const failingShare = 0.3;
/** With fewer tasks than this, it could happen that no call fails. */
const smallestLoad = 50;
/** A wait shorter than this may be over before a read of the task sees it. */
const longEnoughMs = 1_000;

/** While the upstream fails 30 % of all calls, every task ends and each attempt follows the policy. */
export const retries: Check<Target> = {
  title,
  unavailable: (target) =>
    target.policy.nonRetryableErrorTypes.includes('UpstreamUnavailable')
      ? 'NON_RETRYABLE_ERRORS has UpstreamUnavailable: nothing would be retried'
      : needsJokeApi(target),
  async run(target, tools) {
    const { holdfast, policy, record } = target;
    const count = Math.max(smallestLoad, target.tasks);
    const jokeApi = target.jokeApi as NonNullable<Target['jokeApi']>;
    const { say } = tools;
    const category = `stress-${randomUUID()}`;
    const rule = { when: { category }, then: [{ status: 503 }], repeat: true, ratio: failingShare, seed: category };
    say(`${count} tasks while the upstream fails ${failingShare * 100} % of all calls...`);
    const worstMs = Array.from({ length: policy.maximumAttempts }, (_, index) => toWaitMs(policy, index + 1) ?? 0);
    const withinMs = worstMs.reduce((sum, wait) => sum + wait * (1 + policy.jitter) + lateMs, 120_000);
    const { finished, seen } = await jokeApi.withRules([rule], async () => {
      const { tasks, faults } = await submitAtOnce(target, { check: title, count, input: { category } }, tools);
      expectThat(faults.length === 0, `${faults.length} submissions were not accepted, first: ${faults[0]}`);
      const seen = await watchRetrying(holdfast, tasks, tools.signal);
      return { seen, finished: await untilAllFinished(holdfast, tasks, tools, withinMs) };
    });
    const { items } = await jokeApi.ledger({ category });
    record.finished(title, finished, items);

    const calls = toCallsByTask(items);
    const waits = finished.flatMap((task) => checkAttempts(task, calls.get(task.id) ?? [], policy));
    for (const one of seen) expectAnnounced(one, calls.get(one.task.id) ?? [], policy);
    const failed = items.filter(({ status }) => status !== 200).length;
    const share = (failed / items.length) * 100;
    say(`  Upstream calls: ${items.length}, failed: ${failed} (${share.toFixed(0)} %)`);
    for (let attempts = 1; attempts <= policy.maximumAttempts; attempts += 1)
      say(`  Ended on attempt ${attempts}: ${finished.filter(({ attempt }) => attempt === attempts).length}`);
    const completed = finished.filter(({ status }) => status === 'completed').length;
    say(`  Completed: ${completed}, failed after ${policy.maximumAttempts} attempts: ${count - completed}`);
    say(`  Retrying tasks that were read: ${seen.length}, each with the right next attempt and time`);
    checkUsualWaits(waits, policy, say);
    // The limit is four standard deviations. Chance alone exceeds it in fewer than one run of ten thousand.
    const chance = 400 * Math.sqrt((failingShare * (1 - failingShare)) / items.length);
    expectThat(
      waits.length > 0 && Math.abs(share - failingShare * 100) <= chance,
      `The upstream failed ${share.toFixed(0)} % of the calls, not about ${failingShare * 100} %: nothing is proved`,
    );
    expectThat(
      seen.length > 0 || policy.initialIntervalMs < longEnoughMs,
      'No read saw a task retrying: what the API says then was not tested',
    );
    await expectOwnJokes(finished, items, jokeApi);
    return `All ${count} tasks ended, and ${waits.length} retries waited as the policy says`;
  },
};
