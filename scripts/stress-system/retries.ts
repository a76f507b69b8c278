import { randomUUID } from 'node:crypto';
import type { Task } from '../../src/api/schemas.ts';
import { type Policy, toWaitMs } from '../../src/policy.ts';
import { type Check, expectThat } from '../checks/check.ts';
import { toPercentileLine, toPercentiles } from '../checks/percentiles.ts';
import type { LedgerEntry } from '../joke-api/ledger.ts';
import { toCallsByTask } from './calls.ts';
import { submitAtOnce, untilAllFinished } from './load.ts';
import { needsJokeApi, type Target } from './target.ts';

const title = 'Retry Behavior Under Load';
const failingShare = 0.3;

/** Clocks of two processes and whole milliseconds on the way. */
const earlyMs = 10;
/** A due attempt may find all slots taken and the machine busy; more than this is not lateness but another policy. */
const lateMs = 5_000;

/** How late each retry came after the wait that the policy demands, milliseconds; throws on the first that breaks the policy. */
function checkAttempts(task: Task, calls: LedgerEntry[], policy: Policy): number[] {
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
    return Math.max(0, gap - longest);
  });
}

/** With an upstream that fails 30 % of all calls every task ends, and each attempt follows the policy. */
export const retries: Check<Target> = {
  title,
  unavailable: needsJokeApi,
  async run(target, tools) {
    const { holdfast, policy, tasks: count, record } = target;
    const jokeApi = target.jokeApi as NonNullable<Target['jokeApi']>;
    const { say } = tools;
    const category = `stress-${randomUUID()}`;
    const rule = await jokeApi.addRule({
      when: { category },
      then: [{ status: 503 }],
      repeat: true,
      ratio: failingShare,
      seed: category,
    });
    say(`${count} tasks, the upstream failing ${failingShare * 100} % of all calls...`);
    const { tasks, faults } = await submitAtOnce(target, { check: title, count, input: { category } }, tools);
    expectThat(faults.length === 0, `${faults.length} submissions were not accepted, first: ${faults[0]}`);
    const worstMs = Array.from({ length: policy.maximumAttempts }, (_, index) => toWaitMs(policy, index + 1) ?? 0);
    const withinMs = worstMs.reduce((sum, wait) => sum + wait * (1 + policy.jitter) + lateMs, 120_000);
    const finished = await untilAllFinished(holdfast, tasks, tools, withinMs);
    const { items } = await jokeApi.ledger({ category });
    await jokeApi.removeRule(rule);
    record.finished(title, finished, items);

    const calls = toCallsByTask(items);
    const late = finished.flatMap((task) => checkAttempts(task, calls.get(task.id) ?? [], policy));
    const failed = items.filter(({ status }) => status !== 200).length;
    const share = (failed / items.length) * 100;
    say(`  Upstream calls: ${items.length}, failed: ${failed} (${share.toFixed(0)} %)`);
    for (let attempts = 1; attempts <= policy.maximumAttempts; attempts += 1)
      say(`  Ended on attempt ${attempts}: ${finished.filter(({ attempt }) => attempt === attempts).length}`);
    const completed = finished.filter(({ status }) => status === 'completed').length;
    say(`  Completed: ${completed}, failed after ${policy.maximumAttempts} attempts: ${count - completed}`);
    say(`  Retries: ${late.length}; later than their wait by ${toPercentileLine(toPercentiles(late))}`);
    expectThat(
      share > (failingShare * 100) / 2 && share < failingShare * 200,
      `The upstream failed ${share.toFixed(0)} % of the calls, not about ${failingShare * 100} %: nothing is proved`,
    );
    return `All ${count} tasks ended, and ${late.length} retries waited as the policy says`;
  },
};
