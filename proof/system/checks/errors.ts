import { randomUUID } from 'node:crypto';
import type { Behaviour } from '../../../local/joke-api/behaviour.ts';
import { type Check, expectThat } from '../../checks/check.ts';
import { earlyMs, expectOwnJokes, toGapsMs } from '../calls.ts';
import { untilAllFinished } from '../load.ts';
import { needsJokeApi, type Target } from '../target/target.ts';

const title = 'Error Handling';

type Failing = { name: string; behaviour: Behaviour; type: string; upstreamStatus?: number };

/** Longer than the first waits of usual policies: it must lengthen them, up to MAX_DELAY. */
const retryAfterSeconds = 5;

/** Failures that Holdfast retries. */
const retryable: Failing[] = [
  { name: 'HTTP 500', behaviour: { status: 500 }, type: 'UpstreamUnavailable', upstreamStatus: 500 },
  { name: 'HTTP 503', behaviour: { status: 503 }, type: 'UpstreamUnavailable', upstreamStatus: 503 },
  { name: 'HTTP 408', behaviour: { status: 408 }, type: 'UpstreamUnavailable', upstreamStatus: 408 },
  { name: 'HTTP 429', behaviour: { status: 429 }, type: 'UpstreamRateLimited', upstreamStatus: 429 },
  {
    name: `HTTP 429, Retry-After ${retryAfterSeconds}`,
    behaviour: { status: 429, retryAfter: String(retryAfterSeconds) },
    type: 'UpstreamRateLimited',
    upstreamStatus: 429,
  },
  { name: 'connection reset', behaviour: { reset: 'before-headers' }, type: 'UpstreamUnreachable' },
  { name: 'body cut short', behaviour: { cutShort: true }, type: 'UpstreamUnreachable' },
  { name: 'JSON that stops', behaviour: { body: 'truncated-json' }, type: 'TruncatedResponse' },
];

/** Failures that end a task after one call. */
const final: Failing[] = [
  { name: 'HTTP 400', behaviour: { status: 400 }, type: 'UpstreamRejected', upstreamStatus: 400 },
  { name: 'HTTP 404', behaviour: { status: 404 }, type: 'UpstreamRejected', upstreamStatus: 404 },
  { name: 'redirect', behaviour: { status: 302, location: '/jokes/categories' }, type: 'UpstreamRedirected' },
  { name: 'HTML', behaviour: { body: 'html' }, type: 'InvalidResponse' },
  { name: 'nothing', behaviour: { body: 'empty' }, type: 'InvalidResponse' },
  { name: 'another shape', behaviour: { body: 'wrong-shape' }, type: 'InvalidResponse' },
  { name: '1 MiB', behaviour: { body: 'huge' }, type: 'ResponseTooLarge' },
  { name: 'compressed 10 MiB', behaviour: { body: 'gzip-bomb' }, type: 'ResponseTooLarge' },
];

/** Each failure of the upstream ends as specified: recovered by the next attempt, exhausted, or final at once. */
export const errorHandling: Check<Target> = {
  title,
  unavailable: needsJokeApi,
  async run({ holdfast, jokeApi: known, policy, record }, tools) {
    const jokeApi = known as NonNullable<Target['jokeApi']>;
    const { say } = tools;
    const { maximumAttempts, nonRetryableErrorTypes } = policy;
    const isNamed = ({ type }: Failing) => (nonRetryableErrorTypes as string[]).includes(type);
    const retried = retryable.filter((failing) => !isNamed(failing));
    const ending = [...final, ...retryable.filter(isNamed)];
    const cases = [
      ...retried.map((failing) => ({
        ...failing,
        how: 'once',
        repeat: false,
        attempts: Math.min(2, maximumAttempts),
      })),
      ...retried.map((failing) => ({ ...failing, how: 'always', repeat: true, attempts: maximumAttempts })),
      ...ending.map((failing) => ({ ...failing, how: 'always', repeat: true, attempts: 1 })),
    ].map((one) => ({ ...one, category: `stress-${randomUUID()}` }));
    const rules = cases.map(({ category, behaviour, repeat }) => ({ when: { category }, then: [behaviour], repeat }));
    const finished = await jokeApi.withRules(rules, async () => {
      const submitted = await Promise.all(cases.map(({ category }) => holdfast.submit('fetch-joke', { category })));
      return await untilAllFinished(holdfast, submitted, tools, 600_000);
    });
    const endOf = new Map(finished.map((task) => [task.input.category, task]));

    for (const { name, behaviour, how, repeat, attempts, type, upstreamStatus, category } of cases) {
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
        upstreamStatus === undefined || task.failure.upstreamStatus === upstreamStatus,
        `${name} ${how}: the failure says upstream status ${task.failure.upstreamStatus}, not ${upstreamStatus}`,
      );
    }
    return `${retried.length} retryable and ${ending.length} final kinds of failure ended as specified`;
  },
};
