import type { JokeApiClient } from '../../local/joke-api/joke-api-client.ts';
import type { LedgerEntry } from '../../local/joke-api/ledger.ts';
import type { Task } from '../../src/api/views/schemas.ts';
import { expectThat } from '../checks/check.ts';

/** Groups the ledger's calls by task. The calls of a task keep the ledger's order. */
export function toCallsByTask(items: LedgerEntry[]): Map<string, LedgerEntry[]> {
  const calls = new Map<string, LedgerEntry[]>();
  for (const entry of items) {
    const id = entry.taskKey ?? '';
    calls.set(id, [...(calls.get(id) ?? []), entry]);
  }
  return calls;
}

/**
 * A measured gap may be shorter than the policy's wait by up to this much, because a busy joke API records the end of
 * an answer only after the caller has received the answer. On a loaded machine, a difference of 14 ms was seen.
 */
export const earlyMs = 50;

/**
 * Checks that every completed task has the joke (by id and text) that the upstream sent in the task's own last call.
 * @throws {CheckFailure} for a completed task that has another joke, or to which the upstream sent none.
 */
export async function expectOwnJokes(tasks: Task[], ledger: LedgerEntry[], jokeApi: Pick<JokeApiClient, 'joke'>) {
  const calls = toCallsByTask(ledger);
  const texts = new Map<string, string | undefined>();
  for (const { id, status, output } of tasks) {
    if (status !== 'completed') continue;
    const sent = calls.get(id)?.at(-1)?.jokeId ?? undefined;
    expectThat(sent !== undefined, `Task ${id} is completed, but the upstream sent no joke in its last call`);
    if (!texts.has(sent)) texts.set(sent, await jokeApi.joke(sent));
    expectThat(
      output?.id === sent && output.joke === texts.get(sent),
      `Task ${id} was sent joke ${sent} (${texts.get(sent)}), but has ${output?.id} (${output?.joke})`,
    );
  }
}
