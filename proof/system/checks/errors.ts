import { randomUUID } from 'node:crypto';
import { toGapsMs } from '../../../local/joke-api/ledger.ts';
import { type Check, expectThat } from '../../checks/check.ts';
import { finalFailures, retryableFailures, type UpstreamFailure } from '../../checks/upstream-failures.ts';
import { earlyMs, expectOwnJokes } from '../calls.ts';
import { untilAllFinished } from '../load.ts';
import { needsJokeApi, type Target } from '../target/target.ts';

const title = 'Error Handling';

/**
 * After each kind of upstream failure, the task ends as specified: it completes on the next attempt, fails after its
 * last attempt, or fails at once.
 */
export const errorHandling: Check<Target> = {
  title,
  unavailable: needsJokeApi,
  async run({ holdfast, jokeApi: known, policy, record }, tools) {
    const jokeApi = known as NonNullable<Target['jokeApi']>;
    const { say } = tools;
    const { maximumAttempts, nonRetryableErrorTypes } = policy;
    const isNamed = ({ type }: UpstreamFailure) => (nonRetryableErrorTypes as string[]).includes(type);
    const retried = retryableFailures.filter((failure) => !isNamed(failure));
    const ending = [...finalFailures, ...retryableFailures.filter(isNamed)];
    const cases = [
      ...retried.map((failure) => ({ ...failure, how: 'once', repeat: false, attempts: Math.min(2, maximumAttempts) })),
      ...retried.map((failure) => ({ ...failure, how: 'always', repeat: true, attempts: maximumAttempts })),
      ...ending.map((failure) => ({ ...failure, how: 'always', repeat: true, attempts: 1 })),
    ].map((one) => ({ ...one, category: `stress-${randomUUID()}` }));
    const rules = cases.map(({ category, behaviour, repeat }) => ({ when: { category }, then: [behaviour], repeat }));
    const finished = await jokeApi.withRules(rules, async () => {
      const submitted = await Promise.all(cases.map(({ category }) => holdfast.submit('fetch-joke', { category })));
      return await untilAllFinished(holdfast, submitted, tools, 600_000);
    });
    const endOf = new Map(finished.map((task) => [task.input.category, task]));

    for (const { name, behaviour, how, repeat, attempts, type, category } of cases) {
      const task = endOf.get(category);
      const { items } = await jokeApi.ledger({ category });
      record.finished(title, task ? [task] : [], items);
      const isFinal = ending.some((one) => one.name === name);
      const recovers = !repeat && attempts > 1;
      const status = recovers ? 'completed' : 'failed';
      const seen = `${task?.status} on attempt ${task?.attempt}${task?.failure ? ` (${task.failure.type}, ${task.failure.reason})` : ''}`;
      say(
        `  ${`${name}, ${how}`.padEnd(32)} ${seen}, ${items.length} upstream ${items.length === 1 ? 'call' : 'calls'}`,
      );
      expectThat(
        task?.status === status && task.attempt === attempts && items.length === attempts,
        `${name} ${how}: ended ${seen} with ${items.length} calls; expected ${status} on attempt ${attempts}`,
      );
      const asked = Number(behaviour.retryAfter ?? 0) * 1_000;
      const shortestMs = Math.min(asked, policy.maximumIntervalMs);
      for (const gapMs of toGapsMs(items))
        expectThat(
          gapMs >= shortestMs - earlyMs,
          `${name} ${how}: the next call came ${Math.round(gapMs)} ms later, not after ${asked} ms`,
        );
      await expectOwnJokes([task], items, jokeApi);
      if (recovers) continue;
      const reason = isFinal ? 'non-retryable' : 'attempts-exhausted';
      expectThat(
        task.failure?.type === type && task.failure.reason === reason,
        `${name} ${how}: failed as ${task.failure?.type}, ${task.failure?.reason}; expected ${type}, ${reason}`,
      );
      expectThat(
        behaviour.status === undefined || task.failure.upstreamStatus === behaviour.status,
        `${name} ${how}: the failure says upstream status ${task.failure.upstreamStatus}, not ${behaviour.status}`,
      );
    }
    return `${retried.length} retryable and ${ending.length} final kinds of failure ended as specified`;
  },
};
