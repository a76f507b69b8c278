import { randomUUID } from 'node:crypto';
import { type Check, expectThat } from '../../checks/check.ts';
import { expectOwnJokes } from '../calls.ts';
import { submitAtOnce, untilAllFinished } from '../load.ts';
import { needsJokeApi, type Target } from '../target/target.ts';

const title = 'Worker Capacity';
const holdMs = 500;
const rounds = 3;

/** A worker runs WORKER_CONCURRENCY attempts at once: never more, and not fewer while tasks wait. */
export const capacity: Check<Target> = {
  title,
  unavailable: needsJokeApi,
  async run(target, tools) {
    const { holdfast, slots, record } = target;
    const jokeApi = target.jokeApi as NonNullable<Target['jokeApi']>;
    const { say } = tools;
    const count = slots * rounds;
    const category = `stress-${randomUUID()}`;
    const rule = { when: { category }, then: [{ delayMs: holdMs }], repeat: true };
    say(`${count} tasks, each held for ${holdMs} ms by the upstream, on ${slots} slots...`);
    const finished = await jokeApi.withRules([rule], async () => {
      const { tasks, faults } = await submitAtOnce(target, { check: title, count, input: { category } }, tools);
      expectThat(faults.length === 0, `${faults.length} submissions were not accepted, first: ${faults[0]}`);
      return await untilAllFinished(holdfast, tasks, tools);
    });
    const { items, maxInFlight } = await jokeApi.ledger({ category });
    record.finished(title, finished, items);
    say(`  Calls at once at the upstream: at most ${maxInFlight}, on ${slots} slots`);
    expectThat(maxInFlight <= slots, `${maxInFlight} attempts ran at once, more than the ${slots} slots`);
    expectThat(maxInFlight === slots, `Only ${maxInFlight} attempts ran at once while tasks waited for ${slots} slots`);
    const completed = finished.filter(({ status }) => status === 'completed').length;
    expectThat(completed === count, `${count - completed} of ${count} tasks did not complete`);
    await expectOwnJokes(finished, items, jokeApi);
    return `${slots} attempts ran at once, and never more`;
  },
};
