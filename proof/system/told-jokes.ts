import type { JokeApiClient } from '../../local/joke-api/joke-api-client.ts';
import type { LedgerEntry } from '../../local/joke-api/ledger.ts';
import type { Task } from '../../src/api/views/schemas.ts';
import { expectThat } from '../checks/check.ts';
import { toCallsByTask } from './calls.ts';

/**
 * Holds every completed task to the joke that the upstream told in that task's own last call, by its id and its text.
 * @throws {CheckFailure} for a task with another joke: made up, or told to somebody else.
 */
export async function expectToldJokes(tasks: Task[], ledger: LedgerEntry[], jokeApi: Pick<JokeApiClient, 'joke'>) {
  const calls = toCallsByTask(ledger);
  const texts = new Map<string, string | undefined>();
  for (const { id, status, output } of tasks) {
    if (status !== 'completed') continue;
    const told = calls.get(id)?.at(-1)?.jokeId ?? undefined;
    expectThat(told !== undefined, `Task ${id} is completed, but its last call was told no joke`);
    if (!texts.has(told)) texts.set(told, await jokeApi.joke(told));
    expectThat(
      output?.id === told && output.joke === texts.get(told),
      `Task ${id} was told joke ${told} (${texts.get(told)}), but has ${output?.id} (${output?.joke})`,
    );
  }
}
